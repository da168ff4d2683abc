import type { Link } from '../transport/link.ts'

/** Closes a link over which nothing was received for too long; a link that has ended leaves no timer. */
export function watchIdle(link: Link, idleMs: number): Link {
  let timer: ReturnType<typeof setTimeout> | undefined
  const stop = () => clearTimeout(timer)
  const restart = () => {
    stop()
    timer = setTimeout(() => void link.close('The session was idle for too long.', 'expired'), idleMs)
    timer.unref()
  }
  restart()
  link.onEnd?.(stop)
  return {
    kind: link.kind,
    traffic: link.traffic,
    send: (message, reply) => link.send(message, reply),
    receive: async () => {
      try {
        const message = await link.receive()
        restart()
        return message
      } catch (error) {
        stop()
        throw error
      }
    },
    close: (reason, because) => {
      stop()
      return link.close(reason, because)
    },
    greeted: link.greeted && (() => link.greeted?.()),
    onEnd: link.onEnd && ((listener) => link.onEnd?.(listener)),
  }
}
