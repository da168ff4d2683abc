/** A person chats: over every link, with stop, edit, regenerate, reload and a second tab. */
import type { Browser } from 'playwright'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { ChatPage, desktop, launch, phone } from './support/page.ts'

const url = inject('url')
let browser: Browser

beforeAll(async () => {
  browser = await launch()
})
afterAll(() => browser.close())

describe.each([
  ['ws', 'WebSocket'],
  ['fetch', 'plain HTTP'],
  ['webrtc', 'WebRTC'],
])('over ?link=%s', (link, name) => {
  it('answers', async () => {
    const chat = await ChatPage.fresh(browser)
    await chat.connect(url, `?link=${link}`)
    expect(await chat.ask('I want to reserve a table at a restaurant.')).not.toBe('')
    expect(await chat.tokens()).toBeGreaterThan(0)
    expect((await chat.session()).link).toContain(name)
    expect(chat.complaints).toEqual([])
    await chat.close()
  })
})

describe('a conversation', () => {
  it('goes on, is edited, and is answered again', async () => {
    const chat = await ChatPage.fresh(browser)
    await chat.connect(url)
    await chat.ask('I need a hotel room in San Francisco.')
    await chat.ask('For two people, please.')
    expect(await chat.replies.count()).toBe(2)

    await chat.page.getByRole('button', { name: 'Answer again' }).click()
    await chat.replies.last().getByText('2/2').waitFor()
    expect(await chat.reply()).not.toBe('')
    expect(await chat.replies.count()).toBe(2)

    await chat.questions.first().hover()
    await chat.questions.first().getByRole('button', { name: 'Edit' }).click()
    await chat.page.getByLabel('Your message').fill('I need a doctor in San Jose.')
    await chat.page.getByRole('button', { name: 'Ask again', exact: true }).click()
    expect(await chat.reply()).not.toBe('')
    expect(await chat.questions.count()).toBe(1)
    expect(await chat.questions.first().textContent()).toContain('San Jose')

    // Nothing of it is gone, and it is all there again after a reload.
    await chat.page.getByRole('button', { name: 'Earlier question' }).click()
    await expect.poll(() => chat.questions.count()).toBe(2)
    await chat.page.getByRole('button', { name: 'Earlier reply' }).click()
    await chat.replies.last().getByText('1/2').waitFor()
    await chat.reload()
    expect(await chat.questions.allTextContents()).toEqual([
      expect.stringContaining('hotel'),
      expect.stringContaining('two people'),
    ])
    expect(await chat.replies.last().textContent()).toContain('1/2')
    await chat.close()
  })

  it('shows, under a question, what the server saw instead', async () => {
    const chat = await ChatPage.fresh(browser, phone)
    await chat.connect(url)
    await chat.ask('Please transfer some money for me.')
    const wire = chat.questions.first().locator('.wire')
    expect(await wire.textContent()).toMatch(/the server saw\s+[0-9a-f]{8}( [0-9a-f]{8}){3,}/)
    await wire.click()
    await expect.poll(() => chat.page.getByRole('dialog', { name: 'Who sees what' }).isVisible()).toBe(true)
    await chat.close()
  })

  it('stops by Escape, and goes on afterwards', async () => {
    const chat = await ChatPage.fresh(browser, desktop, 96)
    await chat.connect(url)
    await chat.say('I want to reserve a table at a restaurant.')
    await chat.replies.last().locator('.said').filter({ hasText: /\S/ }).waitFor()
    // With something over it the key closes that, wherever the focus is.
    const settings = chat.page.getByRole('dialog', { name: 'Settings' })
    await chat.page.getByRole('button', { name: 'Settings' }).click()
    await settings.getByText('Longest reply').first().waitFor()
    await settings.getByRole('heading', { name: 'Settings' }).click()
    await chat.page.keyboard.press('Escape')
    await expect.poll(() => settings.isVisible()).toBe(false)
    expect(await chat.page.getByRole('button', { name: 'Stop' }).isEnabled()).toBe(true)
    await chat.page.keyboard.press('Escape')
    await chat.reply()
    expect(await chat.replies.last().locator('.foot').textContent()).toContain('stopped by you')
    expect(await chat.ask('For four people.')).not.toBe('')
    await chat.close()
  })

  it('says at once that this device is offline, and goes on when it is back', async () => {
    const chat = await ChatPage.fresh(browser)
    await chat.connect(url)
    await chat.page.context().setOffline(true)
    await chat.page.getByText('You are offline.').first().waitFor()
    await chat.page.context().setOffline(false)
    await chat.connected()
    expect(await chat.ask('I need a dentist.')).not.toBe('')
    await chat.close()
  })

  it('is back after a reload, and goes on', async () => {
    const chat = await ChatPage.fresh(browser)
    await chat.connect(url)
    const before = await chat.ask('I need to see a dentist.')
    await chat.reload()
    expect(await chat.questions.first().textContent()).toContain('dentist')
    expect(await chat.lastReply()).toBe(before)
    expect(await chat.ask('In San Jose, please.')).not.toBe('')
    await chat.close()
  })

  it('leaves nothing behind when it is temporary', async () => {
    const chat = await ChatPage.fresh(browser)
    await chat.connect(url)
    await chat.page.getByRole('button', { name: 'Temporary chat' }).click()
    await chat.ask('I want to see a film.')
    await chat.reload()
    expect(await chat.questions.count()).toBe(0)
    await chat.close()
  })

  it('goes on in two tabs at once, each with its own session', async () => {
    const one = await ChatPage.fresh(browser)
    const two = new ChatPage(await one.page.context().newPage())
    await one.connect(url)
    await two.connect(url)
    const sessions = await Promise.all(
      [one, two].map(({ page }) => page.locator('sotto-panel #session').textContent()),
    )
    expect(sessions[0]).not.toBe(sessions[1])
    await one.say('I want to rent a car.')
    await two.say('I want to hear some music.')
    expect(await one.reply()).not.toBe('')
    expect(await two.reply()).not.toBe('')
    // Each tab's list shows both conversations.
    await expect.poll(() => one.page.locator('sotto-list li').count()).toBe(2)
    await one.close()
  })
})

describe('settings', () => {
  it('limit a reply', async () => {
    const chat = await ChatPage.fresh(browser, desktop, 96)
    await chat.connect(url)
    await chat.page.getByRole('button', { name: 'Settings' }).click()
    await chat.page.getByRole('slider', { name: /Longest reply/ }).fill('8')
    await chat.page.getByRole('radio', { name: 'Dark' }).check()
    await chat.page.keyboard.press('Escape')
    expect(await chat.page.locator('html').getAttribute('data-theme')).toBe('dark')
    await chat.ask('I want to reserve a table at a restaurant.')
    expect(await chat.tokens()).toBeLessThanOrEqual(8)
    await chat.close()
  })
})

describe('what this browser keeps', () => {
  it('can be deleted and had back, and erased', async () => {
    const chat = await ChatPage.fresh(browser)
    await chat.connect(url)
    await chat.ask('Is it going to rain?')
    const kept = chat.page.locator('sotto-list li')
    await kept.first().getByRole('button', { name: 'Delete' }).click()
    await expect.poll(() => kept.count()).toBe(0)
    await chat.page.getByRole('button', { name: 'Undo' }).click()
    await expect.poll(() => kept.count()).toBe(1)
    await chat.page.getByRole('button', { name: 'Settings' }).click()
    await chat.page.getByRole('button', { name: 'Erase everything' }).click()
    await chat.page.getByRole('button', { name: 'Yes, erase everything' }).click()
    await expect.poll(() => kept.count()).toBe(0)
    await chat.reload()
    expect(await chat.questions.count()).toBe(0)
    await chat.close()
  })
})
