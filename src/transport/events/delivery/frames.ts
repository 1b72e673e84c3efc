import { Encoder } from 'cbor-x';
import type { ServerOp } from '../../../core/control.js';
import type { OutgoingMessage } from '../../messages/encode.js';

/** How a client wants its messages: WebSocket text or binary frames, Server-Sent Events with or without an id line. */
export type WireFormat = 'json' | 'cbor' | 'sse' | 'sse-bare';

const TEXT = 0x1;
const BINARY = 0x2;
const FIN = 0x80;
/** RFC 8949 maps with text keys: no records, so that every decoder understands them. */
const cbor = new Encoder({ useRecords: false, variableMapSize: true, mapsAsObjects: true });

/** The bytes of a message on the wire, made once per format however many receive it. */
export function frameOf(message: OutgoingMessage, format: WireFormat): Buffer {
  return message.inFormat(format, () => makeFrame(message, format));
}

/** The bytes of a control reply. Server-Sent Events have none. */
export function controlFrame(op: ServerOp, format: 'json' | 'cbor'): Buffer {
  return format === 'cbor' ? webSocketFrame(BINARY, cbor.encode(op)) : textFrame(JSON.stringify(op));
}

/** @throws what cbor-x throws when these are not the bytes of one value */
export function decodeCbor(bytes: Buffer): unknown {
  return cbor.decode(bytes);
}

function makeFrame(message: OutgoingMessage, format: WireFormat): Buffer {
  switch (format) {
    case 'json':
      return textFrame(message.json);
    case 'cbor':
      return webSocketFrame(BINARY, cbor.encode(message.value));
    case 'sse':
      // A client goes on after the last id it saw, so messages that are not kept have none.
      if (message.sequence !== undefined) {
        return Buffer.from(`id: ${message.streamId}:${message.sequence}\ndata: ${message.json}\n\n`);
      }
      return frameOf(message, 'sse-bare');
    case 'sse-bare':
      return Buffer.from(`data: ${message.json}\n\n`);
  }
}

function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const frame = startFrame(TEXT, length);
  frame.write(text, frame.length - length);
  return frame;
}

function webSocketFrame(opcode: number, payload: Buffer): Buffer {
  const frame = startFrame(opcode, payload.length);
  payload.copy(frame, frame.length - payload.length);
  return frame;
}

/** A frame with its header written and room for the payload: RFC 6455, 5.2; servers do not mask. */
function startFrame(opcode: number, length: number): Buffer {
  const extended = length > 0xffff ? 8 : length > 125 ? 2 : 0;
  const frame = Buffer.allocUnsafeSlow(2 + extended + length);
  frame[0] = FIN | opcode;
  if (extended === 0) frame[1] = length;
  else if (extended === 2) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  return frame;
}
