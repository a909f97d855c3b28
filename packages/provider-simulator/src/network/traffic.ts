/** What went over one provider's connections, all its listeners together. */
export class Traffic {
  connects = 0
  openSessions = 0
  openStreams = 0
  peakStreams = 0
  goawaysSent = 0
  refusedStreams = 0
  /** Connections that were reset before TLS. */
  refusedConnections = 0

  streamOpened(): void {
    this.openStreams += 1
    if (this.openStreams > this.peakStreams) this.peakStreams = this.openStreams
  }

  streamClosed(): void {
    this.openStreams -= 1
  }

  /** Starts counting anew. What is open stays counted as open. */
  clear(): void {
    this.connects = 0
    this.peakStreams = this.openStreams
    this.goawaysSent = 0
    this.refusedStreams = 0
    this.refusedConnections = 0
  }
}
