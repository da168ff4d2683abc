// y = (y + sum of parts) mod 2^bits: the additive mask already in y, plus the partial products.
// y: rows x stride elements; parts: splits x rows x n elements; LIMBS words an element, low word first.

override LIMBS: u32 = 2;

struct Params {
  mask: vec2<u32>, // 2^bits - 1, low word and high word
  rows: u32,
  n: u32,
  stride: u32, // elements in a row of y
  splits: u32,
}

@group(0) @binding(0) var<storage, read_write> y: array<u32>;
@group(0) @binding(1) var<storage, read> parts: array<u32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= params.n) { return; }
  let at = (id.y * params.stride + id.x) * LIMBS;
  let step = params.rows * params.n * LIMBS;
  var source = (id.y * params.n + id.x) * LIMBS;
  if (LIMBS == 1u) {
    var sum = y[at];
    for (var s = 0u; s < params.splits; s++) {
      sum += parts[source];
      source += step;
    }
    y[at] = sum & params.mask.x;
    return;
  }
  var low = y[at];
  var high = y[at + 1u];
  for (var s = 0u; s < params.splits; s++) {
    let part = parts[source];
    low += part;
    high += parts[source + 1u] + select(0u, 1u, low < part);
    source += step;
  }
  y[at] = low & params.mask.x;
  y[at + 1u] = high & params.mask.y;
}
