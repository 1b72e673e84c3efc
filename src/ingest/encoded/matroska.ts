/*
 * As much of Matroska (RFC 9559) as ffmpeg writes into a pipe for one video track, and as it reads from one.
 */

const ID = {
  segment: 0x18538067,
  cluster: 0x1f43b675,
  timestamp: 0xe7,
  simpleBlock: 0xa3,
  blockGroup: 0xa0,
  block: 0xa1,
  referenceBlock: 0xfb,
  tracks: 0x1654ae6b,
  trackEntry: 0xae,
  codecId: 0x86,
} as const;
/** A larger element is not video but a misreading. */
const MAX_BYTES = 64 * 2 ** 20;
const KEY_FLAG = 0x80;

export interface MatroskaFrame {
  /** Presentation time, ms. */
  readonly ms: number;
  readonly key: boolean;
  readonly data: Buffer;
}

export interface MatroskaListener {
  /** Everything before the first frame. */
  onHeader(header: Buffer, codec: string): void;
  onFrame(frame: MatroskaFrame): void;
}

interface Element {
  readonly id: number;
  /** Of id and size together. */
  readonly headBytes: number;
  /** Undefined where it is not told: up to the end of the stream. */
  readonly size: number | undefined;
}

/** Reads a byte stream of Matroska as it comes. */
export class MatroskaReader {
  readonly #listener: MatroskaListener;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  /** Bytes that must be there before reading goes on. */
  #needed = 1;
  #header: Buffer[] | undefined = [];
  #codec = '';
  #clusterMs = 0;

  constructor(listener: MatroskaListener) {
    this.#listener = listener;
  }

  /** @throws RangeError for what is not Matroska */
  push(chunk: Uint8Array): void {
    this.#waiting.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    this.#waitingBytes += chunk.byteLength;
    if (this.#waitingBytes < this.#needed) return;
    let rest = this.#waiting.length === 1 ? (this.#waiting[0] as Buffer) : Buffer.concat(this.#waiting);
    for (let taken = this.#read(rest); taken > 0; taken = this.#read(rest)) rest = rest.subarray(taken);
    this.#waiting = rest.length > 0 ? [rest] : [];
    this.#waitingBytes = rest.length;
  }

  /** @returns bytes read; 0 when more are needed */
  #read(bytes: Buffer): number {
    const element = elementAt(bytes);
    if (element === undefined) {
      this.#needed = bytes.length + 1;
      return 0;
    }
    const { id, headBytes, size } = element;
    if (id === ID.segment || id === ID.cluster) return this.#enter(id, bytes.subarray(0, headBytes));
    if (size === undefined || size > MAX_BYTES) throw new RangeError('this is not Matroska');
    const end = headBytes + size;
    if (bytes.length < end) {
      this.#needed = end;
      return 0;
    }
    this.#needed = 1;
    this.#take(id, bytes.subarray(0, end), bytes.subarray(headBytes, end));
    return end;
  }

  #enter(id: number, head: Buffer): number {
    this.#needed = 1;
    if (id === ID.cluster) this.#endHeader();
    // Of unknown size: the frames that follow it later are not those of now.
    else this.#header?.push(UNKNOWN_SIZE_SEGMENT);
    return head.length;
  }

  #endHeader(): void {
    if (this.#header === undefined) return;
    this.#listener.onHeader(Buffer.concat(this.#header), this.#codec);
    this.#header = undefined;
  }

  #take(id: number, whole: Buffer, content: Buffer): void {
    if (id === ID.timestamp) this.#clusterMs = content.readUIntBE(0, Math.min(content.length, 6));
    else if (id === ID.simpleBlock) this.#block(content, ((content[3] ?? 0) & KEY_FLAG) !== 0);
    else if (id === ID.blockGroup) this.#group(content);
    else if (this.#header !== undefined) {
      this.#header.push(Buffer.from(whole));
      if (id === ID.tracks) this.#codec = codecOf(content);
    }
  }

  #group(content: Buffer): void {
    const parts = [...elementsIn(content)];
    const block = parts.find(({ id }) => id === ID.block);
    if (block) this.#block(block.content, !parts.some(({ id }) => id === ID.referenceBlock));
  }

  /** Track number (one byte), time within the cluster, flags, then the frame: we never have two tracks, or lacing. */
  #block(content: Buffer, key: boolean): void {
    if (content.length < 4) throw new RangeError('this is not Matroska');
    this.#listener.onFrame({
      ms: this.#clusterMs + content.readInt16BE(1),
      key,
      data: Buffer.from(content.subarray(4)),
    });
  }
}

/** Matroska of these frames; the first must be a key frame, and only those named are. */
export function writeMatroska(
  header: Uint8Array,
  frames: readonly { readonly ms: number; readonly key: boolean; readonly data: Uint8Array }[],
): Buffer {
  const parts: Uint8Array[] = [header];
  for (const { ms, key, data } of frames) {
    const block = Buffer.from([0x81, 0, 0, key ? KEY_FLAG : 0]);
    const timestamp = Buffer.alloc(8);
    timestamp[0] = ID.timestamp;
    timestamp[1] = 0x86;
    timestamp.writeUIntBE(Math.max(0, ms), 2, 6);
    const blockHead = headOf(ID.simpleBlock, block.length + data.length);
    const size = timestamp.length + blockHead.length + block.length + data.length;
    parts.push(headOf(ID.cluster, size), timestamp, blockHead, block, data);
  }
  return Buffer.concat(parts);
}

const UNKNOWN_SIZE_SEGMENT = Buffer.from([
  0x18, 0x53, 0x80, 0x67, 0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
]);

function headOf(id: number, size: number): Buffer {
  const idBytes = id > 0xffffff ? 4 : 1;
  const head = Buffer.alloc(idBytes + 8);
  head.writeUIntBE(id, 0, idBytes);
  head[idBytes] = 0x01;
  head.writeUIntBE(size, idBytes + 2, 6);
  return head;
}

/** Undefined when there are not enough bytes to tell. */
function elementAt(bytes: Buffer): Element | undefined {
  const idBytes = lengthOf(bytes[0]);
  const sizeBytes = lengthOf(bytes[idBytes]);
  const headBytes = idBytes + sizeBytes;
  if (bytes.length < headBytes) return undefined;
  if (idBytes > 4) throw new RangeError('this is not Matroska');
  let size = (bytes[idBytes] as number) & (0xff >> sizeBytes);
  let unknown = size === 0xff >> sizeBytes;
  for (let at = idBytes + 1; at < headBytes; at += 1) {
    const byte = bytes[at] as number;
    size = size * 256 + byte;
    unknown &&= byte === 0xff;
  }
  return { id: bytes.readUIntBE(0, idBytes), headBytes, size: unknown ? undefined : size };
}

/** Bytes of a number that begins with this byte; Infinity when it is not there yet. */
function lengthOf(first: number | undefined): number {
  if (first === undefined) return Infinity;
  if (first === 0) throw new RangeError('this is not Matroska');
  return Math.clz32(first) - 23;
}

function* elementsIn(bytes: Buffer): Generator<{ readonly id: number; readonly content: Buffer }> {
  for (let rest = bytes; rest.length > 0;) {
    const element = elementAt(rest);
    if (element?.size === undefined) return;
    const end = element.headBytes + element.size;
    yield { id: element.id, content: rest.subarray(element.headBytes, end) };
    rest = rest.subarray(end);
  }
}

function codecOf(tracks: Buffer): string {
  for (const track of elementsIn(tracks)) {
    if (track.id !== ID.trackEntry) continue;
    for (const { id, content } of elementsIn(track.content)) {
      if (id === ID.codecId) return content.toString('latin1').replaceAll('\0', '');
    }
  }
  return '';
}
