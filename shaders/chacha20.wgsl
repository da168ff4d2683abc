// ChaCha20 keystream (RFC 8439 section 2.3) as ring elements: u64le word i of the keystream, mod 2^bits.
// One invocation makes one 64-byte block = 8 elements. Row y of the grid reads the stream whose 64-bit serial
// (nonce words 1 and 2) is y higher. A row of lane vectors holds the state, so a diagonal round is a swizzle.

// Bits an element takes in `keystream`: 64 (low word, high word), 32, or 16 (two elements in a word).
override WIDTH: u32 = 64;

struct Params {
  key_low: vec4<u32>,
  key_high: vec4<u32>,
  nonce: vec3<u32>,
  counter: u32,    // block counter of the first block
  mask: vec2<u32>, // 2^bits - 1, low word and high word
  blocks: u32,     // blocks in a row
}

@group(0) @binding(0) var<storage, read_write> keystream: array<vec4<u32>>;
@group(0) @binding(1) var<uniform> params: Params;

fn rotate(v: vec4<u32>, by: u32) -> vec4<u32> {
  return (v << vec4<u32>(by)) | (v >> vec4<u32>(32u - by));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= params.blocks) { return; }
  let serial = params.nonce.y + id.y;
  let carry = select(0u, 1u, serial < params.nonce.y);
  let constants = vec4<u32>(0x61707865u, 0x3320646eu, 0x79622d32u, 0x6b206574u);
  let input = vec4<u32>(params.counter + id.x, params.nonce.x, serial, params.nonce.z + carry);
  var a = constants;
  var b = params.key_low;
  var c = params.key_high;
  var d = input;
  for (var round = 0u; round < 10u; round++) {
    a += b; d = rotate(d ^ a, 16u); c += d; b = rotate(b ^ c, 12u);
    a += b; d = rotate(d ^ a, 8u); c += d; b = rotate(b ^ c, 7u);
    b = b.yzwx; c = c.zwxy; d = d.wxyz;
    a += b; d = rotate(d ^ a, 16u); c += d; b = rotate(b ^ c, 12u);
    a += b; d = rotate(d ^ a, 8u); c += d; b = rotate(b ^ c, 7u);
    b = b.wxyz; c = c.zwxy; d = d.yzwx;
  }
  a += constants;
  b += params.key_low;
  c += params.key_high;
  d += input;
  let at = (id.y * params.blocks + id.x) * (WIDTH / 16u);
  if (WIDTH == 64u) {
    let mask = params.mask.xyxy;
    keystream[at] = a & mask;
    keystream[at + 1u] = b & mask;
    keystream[at + 2u] = c & mask;
    keystream[at + 3u] = d & mask;
    return;
  }
  let mask = params.mask.xxxx;
  let first = vec4<u32>(a.xz, b.xz) & mask;
  let second = vec4<u32>(c.xz, d.xz) & mask;
  if (WIDTH == 32u) {
    keystream[at] = first;
    keystream[at + 1u] = second;
    return;
  }
  keystream[at] = vec4<u32>(first.xz, second.xz) | (vec4<u32>(first.yw, second.yw) << vec4<u32>(16u));
}
