import type { Link } from '../transport/link.ts'

/** Closes a link over which nothing was received for too long. */
export function watchIdle(link: Link, idleMs: number): Link {
  let timer: ReturnType<typeof setTimeout>
  const restart = () => {
    clearTimeout(timer)
    timer = setTimeout(() => void link.close('The session was idle for too long.'), idleMs)
    timer.unref()
  }
  restart()
  return {
    kind: link.kind,
    traffic: link.traffic,
    send: (message, reply) => link.send(message, reply),
    receive: async () => {
      try {
        return await link.receive()
      } finally {
        restart()
      }
    },
    close: (reason) => {
      clearTimeout(timer)
      return link.close(reason)
    },
    greeted: link.greeted && (() => link.greeted?.()),
    onEnd: link.onEnd && ((listener) => link.onEnd?.(listener)),
  }
}
