/** Services that only a window can offer to an engine in a worker. */
export interface OwnerHost {
  /**
   * Opens a WebRTC data channel to `url`. Peer connections don't exist in workers, so the window makes one and relays
   * the channel's frames over the returned port.
   */
  openPeer(url: string): Promise<MessagePort>
}
