/** What the person chose about this page. Nothing here is a secret, so it lives in local storage. */
import type { Task } from '../../owner/api.ts'
import type { Padding } from '../../owner/chat-options.ts'
import { fitting, type Language, speak } from '../language.ts'
import { local } from './storage.ts'
import { Store } from './store.ts'

export type Theme = 'auto' | 'light' | 'dark'

export interface Settings {
  theme: Theme
  temperature: number
  topP: number
  maxTokens: number
  /** Whether the other parties may learn how long messages and replies are. */
  padding: Padding
  /** The "who sees what" panel on wide screens. */
  panel: boolean
  /** The conversation list on wide screens. */
  list: boolean
  /** Name of the model chosen last, and what it is for: the page draws its view before the server has answered. */
  model: string
  task: Task
  /** Empty: as the browser has it. */
  language: Language | ''
}

const key = 'sotto.settings'

const defaults: Settings = {
  theme: 'auto',
  temperature: 0.7,
  topP: 0.9,
  maxTokens: 96,
  padding: 'blocks',
  panel: true,
  list: true,
  model: '',
  task: 'chat',
  language: '',
}

function load(): Settings {
  try {
    const stored: unknown = JSON.parse(local.get(key) ?? '{}')
    return { ...defaults, ...(stored as Partial<Settings>) }
  } catch {
    // What is stored may be something old.
    return { ...defaults }
  }
}

export const settings = new Store<Settings>(load())

/** Applies the theme to the document; `color-scheme` then drives every colour. */
function applyTheme(): void {
  document.documentElement.dataset.theme = settings.state.theme
}

/** Speaks the chosen language, or the first of the browser's that there is. */
export const applyLanguage = (): Promise<void> =>
  speak(settings.state.language || fitting(navigator.languages))

settings.subscribe(() => {
  applyTheme()
  void applyLanguage()
  local.set(key, JSON.stringify(settings.state))
})
