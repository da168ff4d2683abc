/** Dialogues that the cloud has both in the clear and in numbers: what they tell of all others. */

/** The token of each number that occurs in them; -1 for the others. With rows in place of numbers, rows are known again likewise. */
export function fromPlaintext(
  ids: readonly (readonly number[])[],
  numbers: readonly (readonly number[])[],
  vocab: number,
): Int32Array {
  const guess = new Int32Array(vocab).fill(-1)
  for (const [d, dialogue] of numbers.entries())
    for (const [i, number] of dialogue.entries()) guess[number] = ids[d][i]
  return guess
}
