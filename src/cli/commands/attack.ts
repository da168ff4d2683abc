/** `sotto attack`: what a party that departs from what it should do learns, measured. */
import { Option } from '@commander-js/extra-typings'
import { knowledge } from '../../../tools/attack/cloud/finding.ts'
import { command, type ValuesOf } from '../command.ts'
import { UsageError } from '../errors.ts'
import { whole } from '../values.ts'

const declared = command('attack', 'Measure what a dishonest party learns.')
  .addOption(
    new Option(
      '--as <party>',
      'owner: a modified user, of private weights under secret sharing; cloud: the host, of a veiled model and its users',
    )
      .choices(['owner', 'cloud'] as const)
      .makeOptionMandatory(),
  )
  .requiredOption('--model <bundle>', 'folder of a whole bundle; as cloud, also of a ViT')
  .option('--queries <n>', 'as owner: passes to use', whole(1), 200)
  .option(
    '--rate-limit <n>',
    'as owner: rows that the dealer lets an address see within an hour; no limit if not given',
    whole(1),
  )
  .addOption(
    new Option('--knows <what>', 'as cloud: no attack that takes more than this; all if not given').choices(
      knowledge,
    ),
  )
  .addOption(
    new Option('--group <name>', 'as cloud: how the model is veiled')
      .choices(['bits', 'full'] as const)
      .default('bits' as const),
  )
  .option(
    '--traffic <file>',
    'as cloud: text of users, which is to be read; for a ViT, the folder of Fashion-MNIST',
  )
  .option('--domain <file>', 'as cloud: text of the same kind that the host has')
  .option('--other <files...>', 'as cloud: texts of other kinds that the host has', [] as string[])
  .option('--dialogues <n>', 'as cloud: how many of --traffic the host sees as numbers', whole(1), 100)
  .option(
    '--samples <n>',
    'as cloud: tokens that the host lets the model say without any user',
    whole(0),
    60_000,
  )
  .option(
    '--tuning <n>',
    'as cloud: steps for which the host tunes what it has on --domain; from nothing as many, to compare',
    whole(0),
    200,
  )
  .option(
    '--out <file>',
    'as cloud: write the summary there; attacks.json in the folder for the cloud is shown by pages',
  )
  .option('--readable <file>', 'as cloud: write which tokens are read there, for the folder of keys')
  .option('--json', 'print one JSON object', false)
  .addHelpText(
    'after',
    `
As owner: starts a model server and a dealer for the bundle, and opens one session as any user does. The client then departs
from the protocol in one way: it adds numbers of its choice to its own share of the last private matrix's input, which shifts
what is released by rows of that matrix. Rows recovered are compared with the bundle's.

As cloud: veils the model with a fresh key, and attacks what the host gets: with nothing but text, with the embedding table,
with the weights that it was tuned from, with the weights. Every figure is a lower bound: a better attack may read more.`,
  )

export const attackCommand = declared.action(attack)

async function attack(values: ValuesOf<typeof declared>): Promise<void> {
  if (values.as === 'owner') {
    const { attackAsOwner } = await import('../attacks/owner.ts')
    return attackAsOwner(values)
  }
  const { traffic } = values
  if (traffic === undefined)
    throw new UsageError(
      'The cloud reads users: give --traffic a file of their text.',
      'docs/veiled.md has an example.',
    )
  const { attackAsCloud } = await import('../attacks/cloud.ts')
  return attackAsCloud({ ...values, traffic })
}
