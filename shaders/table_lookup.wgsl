// Masked table lookup: out[i] = table[i * entries + (index[i] >> shift)]. Every element has a table of its own,
// already shifted by its secret mask; index[i] is the masked value that both parties see, so reading at it
// reveals nothing. LIMBS words an entry.

override LIMBS: u32 = 1;

struct Params {
  count: u32,
  entries: u32, // in one table; index[i] >> shift is below it
  shift: u32,   // < 32
}

@group(0) @binding(0) var<storage, read_write> out: array<u32>;
@group(0) @binding(1) var<storage, read> index: array<u32>;
@group(0) @binding(2) var<storage, read> table: array<u32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= params.count) { return; }
  let source = (i * params.entries + (index[i] >> params.shift)) * LIMBS;
  out[i * LIMBS] = table[source];
  if (LIMBS == 2u) { out[i * LIMBS + 1u] = table[source + 1u]; }
}
