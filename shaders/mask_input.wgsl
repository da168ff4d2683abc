// The masked, lifted input of a product: x = ((hi << shift) - x) mod 2^bits, elementwise, in place.
// Both arrays are rows x stride elements of LIMBS words (low word first).

override LIMBS: u32 = 2;

struct Params {
  mask: vec2<u32>, // 2^bits - 1, low word and high word
  shift: u32,      // < bits
  stride: u32,     // elements in a row
}

@group(0) @binding(0) var<storage, read_write> x: array<u32>;
@group(0) @binding(1) var<storage, read> hi: array<u32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= params.stride) { return; }
  let at = (id.y * params.stride + id.x) * LIMBS;
  if (LIMBS == 1u) {
    x[at] = ((hi[at] << params.shift) - x[at]) & params.mask.x;
    return;
  }
  var low = hi[at];
  var high = hi[at + 1u];
  // WGSL takes shift amounts mod 32, so 0 and 32 and up are cases of their own
  if (params.shift >= 32u) {
    high = low << (params.shift - 32u);
    low = 0u;
  } else if (params.shift > 0u) {
    high = (high << params.shift) | (low >> (32u - params.shift));
    low = low << params.shift;
  }
  let borrow = select(0u, 1u, low < x[at]);
  x[at] = (low - x[at]) & params.mask.x;
  x[at + 1u] = (high - x[at + 1u] - borrow) & params.mask.y;
}
