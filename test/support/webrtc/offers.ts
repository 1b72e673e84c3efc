import { onTestFinished } from 'vitest';
import { loadWrtc, type PeerConnection, type SessionDescription } from '../../../src/ingest/webrtc/wrtc.js';

/** The parts of a client that the service itself has no use for. */
export interface ClientPeer extends PeerConnection {
  addTransceiver(kind: 'video' | 'audio', init: { direction: 'sendonly' | 'recvonly' | 'sendrecv' }): unknown;
  createOffer(): Promise<SessionDescription>;
}

/** A client without a browser, closed with the test. */
export async function openClient(
  direction: 'sendonly' | 'recvonly' = 'sendonly',
  kind: 'video' | 'audio' = 'video',
): Promise<{ peer: ClientPeer; offer: string }> {
  const wrtc = await loadWrtc();
  const peer = new wrtc.RTCPeerConnection({ iceServers: [] }) as ClientPeer;
  onTestFinished(() => peer.close());
  peer.addTransceiver(kind, { direction });
  const { sdp } = await peer.createOffer();
  return { peer, offer: sdp };
}
