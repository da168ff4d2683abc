import { describe, expect, it } from 'vitest'
import { Announcer } from './announce.ts'
import { ago, bytes, count, grouped, plural, title, word } from './format.ts'

describe('format', () => {
  it('shows sizes in three digits or so', () => {
    expect([0, 999, 1000, 1234, 99_960, 999_499, 999_500, 5e9].map(bytes)).toEqual([
      ...['0 B', '999 B', '1.0 KB', '1.2 KB', '100 KB', '999 KB', '1.0 MB', '5.0 GB'],
    ])
  })

  it('shows counts of parameters and things', () => {
    expect([512, 12_345, 4_194_304, 1.5e9].map(count)).toEqual(['512', '12K', '4.2M', '1.5B'])
    expect([0, 999, 1000, 123_456, 1_234_567].map(grouped)).toEqual([
      ...['0', '999', '1,000', '123,456', '1,234,567'],
    ])
    expect([plural(1, 'hop'), plural(1200, 'hop')]).toEqual(['1 hop', '1,200 hops'])
  })

  it('shows words as the server saw them', () => {
    expect([word(0), word(-1), word(0x9f3a01c2)]).toEqual(['00000000', 'ffffffff', '9f3a01c2'])
  })

  it('cuts titles at a word', () => {
    expect(title('  one line\nanother ')).toBe('one line')
    expect(title('I would like to reserve a table for two people at half past eleven')).toBe(
      'I would like to reserve a table for two people…',
    )
    expect(title('x'.repeat(80))).toHaveLength(37)
  })

  it('shows times relative to now', () => {
    expect([ago(0, 30_000), ago(0, 150_000), ago(0, 3 * 3_600_000)]).toEqual([
      'now',
      '2 min. ago',
      '3 hr. ago',
    ])
  })
})

describe('Announcer', () => {
  it('says whole sentences, and what is left at the end', () => {
    const announcer = new Announcer()
    const said: string[] = []
    announcer.subscribe(() => said.push(announcer.state.sentence))
    for (const token of ['Sure', '! I found', ' 3 hotels.', ' Shall I', ' book', ' 1.5 nights'])
      announcer.add(token)
    announcer.flush()
    announcer.flush()
    expect(said).toEqual(['Sure!', 'I found 3 hotels.', 'Shall I book 1.5 nights'])
  })

  it('leaves formatting marks to the eye', () => {
    const announcer = new Announcer()
    const said: string[] = []
    announcer.subscribe(() => said.push(announcer.state.sentence))
    for (const token of [
      '**Two** are _free_: ',
      'see [here](https://example.com).\n',
      '1. `Zetta`\n',
      '- *Union*\n',
    ])
      announcer.add(token)
    announcer.flush()
    expect(said.join(' ')).toBe('Two are free: see here. Zetta Union')
  })
})
