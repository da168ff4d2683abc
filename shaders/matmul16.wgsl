// parts[split] = x · F over the split's range of k, for rings of at most 16 bits: sums mod 2^32, reduced later.
// x: rows x stride words; F: k x n elements, row major, two in a word; parts: splits x rows x n words.
// A workgroup makes 8 rows x 128 columns: an invocation owns two columns and all eight rows, so F is read once,
// straight from memory and coalesced, and only x passes through workgroup memory.

struct Params {
  rows: u32,
  k: u32,      // rows of this piece of F
  n: u32,
  stride: u32, // elements in a row of x
  offset: u32, // first element of x's rows that meets this piece
  span: u32,   // rows of F in one split
}

const TILE_K = 64u;

@group(0) @binding(0) var<storage, read_write> parts: array<u32>;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read> f: array<u32>;
@group(0) @binding(3) var<uniform> params: Params;

var<workgroup> tile: array<u32, 512>; // 8 x TILE_K

fn element(at: u32) -> u32 {
  return (f[at >> 1u] >> ((at & 1u) * 16u)) & 0xffffu;
}

fn put(row: u32, column: u32, split: u32, value: vec2<u32>) {
  if (row >= params.rows) { return; }
  let at = (split * params.rows + row) * params.n + column;
  if (column < params.n) { parts[at] = value.x; }
  if (column + 64u < params.n) { parts[at + 64u] = value.y; }
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let column = group.x * 128u + lane;
  let row = group.y * 8u;
  // one row is common: it must not pay for eight
  let many = row + 1u < params.rows;
  let end = min(params.k, (group.z + 1u) * params.span);
  // columns past the end read the last one; put() drops them
  let columns = min(vec2<u32>(column, column + 64u), vec2<u32>(params.n - 1u));
  var s0 = vec2<u32>(); var s1 = vec2<u32>(); var s2 = vec2<u32>(); var s3 = vec2<u32>();
  var s4 = vec2<u32>(); var s5 = vec2<u32>(); var s6 = vec2<u32>(); var s7 = vec2<u32>();
  for (var k0 = group.z * params.span; k0 < end; k0 += TILE_K) {
    for (var r = 0u; r < 8u; r++) {
      var value = 0u;
      if (row + r < params.rows && k0 + lane < end) {
        value = x[(row + r) * params.stride + params.offset + k0 + lane];
      }
      tile[r * TILE_K + lane] = value;
    }
    workgroupBarrier();
    let count = min(TILE_K, end - k0);
    for (var i = 0u; i < count; i++) {
      let at = columns + vec2<u32>((k0 + i) * params.n);
      let g = vec2<u32>(element(at.x), element(at.y));
      s0 += tile[i] * g;
      if (!many) { continue; }
      s1 += tile[i + TILE_K] * g;
      s2 += tile[i + 2u * TILE_K] * g;
      s3 += tile[i + 3u * TILE_K] * g;
      s4 += tile[i + 4u * TILE_K] * g;
      s5 += tile[i + 5u * TILE_K] * g;
      s6 += tile[i + 6u * TILE_K] * g;
      s7 += tile[i + 7u * TILE_K] * g;
    }
    workgroupBarrier();
  }
  put(row, column, group.z, s0);
  put(row + 1u, column, group.z, s1);
  put(row + 2u, column, group.z, s2);
  put(row + 3u, column, group.z, s3);
  put(row + 4u, column, group.z, s4);
  put(row + 5u, column, group.z, s5);
  put(row + 6u, column, group.z, s6);
  put(row + 7u, column, group.z, s7);
}
