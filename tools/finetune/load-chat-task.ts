import { createHash } from 'node:crypto'
import { Tokenizer } from '@huggingface/tokenizers'
import type { CalibrationText } from '../calibrate/texts.ts'
import { type Dialogue, encodeDialogue, readDialogues, specialId } from '../train/dialogues.ts'
import type { Base, Prepared } from './base.ts'
import { prepareChat } from './chat-base.ts'
import { ChatTask } from './chat-task.ts'
import { DataError, fileBytes } from './data.ts'
import { holdOut } from './hold-out.ts'
import type { LoadedTask, TaskOptions } from './loaded-task.ts'

/** Held-out dialogues that the ranges are measured on, by the slow float model: several thousand tokens. */
const calibrationDialogues = 120

/** Reads dialogues and makes a chat model ready for them. Throws a {@link DataError} for data that does not fit. */
export function loadChatTask(base: Base, o: TaskOptions): LoadedTask {
  if (!base.chat) throw new DataError('The base has no chat template: dialogues need a chat model.')
  const all = readDialogues(o.data)
  const { train, dev } = o.dev ? { train: all, dev: readDialogues(o.dev) } : holdOut(all, o.heldOut)
  if (train.length === 0 || dev.length === 0)
    throw new DataError(
      `${train.length} dialogues to learn from and ${dev.length} held out: both are needed.`,
    )
  const prepared = prepareChat(base, o)
  const { task } = chatTask(base, prepared, train, dev, o)
  return {
    task,
    ...prepared,
    tokenizer: base.tokenizer,
    chat: base.chat,
    dev: dev.slice(0, calibrationDialogues).map(messages),
    dataset: createHash('sha256').update(fileBytes(o.data)).digest('hex'),
  }
}

/** The task of a prepared chat model, and how it reads dialogues: as ids, cut to its context. */
export function chatTask(
  base: Pick<Base, 'tokenizer'>,
  { config, tensors, trained }: Prepared,
  train: readonly Dialogue[],
  dev: readonly Dialogue[],
  { threads, repliesOnly }: Pick<TaskOptions, 'repliesOnly'> & { threads?: number },
): { task: ChatTask; encode: (dialogues: readonly Dialogue[]) => number[][] } {
  const tokenizer = new Tokenizer(base.tokenizer, {})
  const [begin, end] = ['<|assistant|>', '<|end|>'].map((name) => specialId(tokenizer, name))
  const replies = repliesOnly ? { begin, end } : undefined
  const encode = (dialogues: readonly Dialogue[]) =>
    dialogues.map((dialogue) => encodeDialogue(dialogue, tokenizer).slice(0, config.context + 1))
  return {
    encode,
    task: new ChatTask({
      config,
      tensors,
      trained,
      train: encode(train),
      dev: encode(dev),
      replies,
      threads,
    }),
  }
}

const messages = ({ turns }: Dialogue): CalibrationText => ({
  messages: turns.map(({ role, text }) => ({ role, content: text })),
})
