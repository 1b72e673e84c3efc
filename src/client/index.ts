/**
 * The client of Presage, for browsers and Node: `presage/client`. See docs/clients.md.
 */
import { Agent, type ConnectOptions } from './agent.js';

/**
 * Connects to a service, at once and again whenever the connection is lost.
 *
 * @param url of the service, such as `http://localhost:7878`
 * @throws ClientError `bad_address`; everything else is told by the flows and `status()`
 */
export function connect(url: string | URL, options: ConnectOptions = {}): Agent {
  return new Agent(url, options);
}

export type { Agent, ConnectOptions } from './agent.js';
export { ClientError, type ClientErrorCode } from './client-error.js';
export type { Flow, FlowIterator, FlowOptions, Observer, Subscription } from './flow.js';
export type {
  Found,
  HttpClient,
  InspectionRequestInput,
  NewStream,
  Page,
  Places,
  Point,
  Search,
  StreamChange,
  StreamInfo,
} from './http.js';
export type { SocketConstructor, SocketLike } from './socket.js';
export type * from './types.js';
