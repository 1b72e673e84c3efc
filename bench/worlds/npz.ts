import { readFile } from 'node:fs/promises';

/** An array of numbers as NumPy wrote it, row-major. */
export interface NumericArray {
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
}

const END_OF_DIRECTORY = 0x06054b50;
const END_OF_DIRECTORY_BYTES = 22;
/** The archive's comment, which NumPy leaves empty, may be this long. */
const MAX_COMMENT_BYTES = 65_535;
const DIRECTORY_ENTRY_BYTES = 46;
const LOCAL_HEADER_BYTES = 30;
const STORED = 0;

/**
 * The arrays of an uncompressed `.npz` (NumPy's `savez`; ZIP by PKWARE's APPNOTE, NPY format 1.0 to 3.0) below 4 GB.
 * Throws for compressed members and for types other than bool, integers up to 32 bits, and floats of 16, 32 and 64 bits.
 */
export async function readNpz(file: string): Promise<ReadonlyMap<string, NumericArray>> {
  const bytes = await readFile(file);
  const end = endOfDirectory(bytes, file);
  const arrays = new Map<string, NumericArray>();
  let at = bytes.readUInt32LE(end + 16);
  for (let n = bytes.readUInt16LE(end + 10); n > 0; n -= 1) {
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) => bytes.readUInt16LE(at + field));
    const nameEnd = at + DIRECTORY_ENTRY_BYTES + (nameBytes ?? 0);
    const name = bytes.toString('utf8', at + DIRECTORY_ENTRY_BYTES, nameEnd).replace(/\.npy$/, '');
    if (bytes.readUInt16LE(at + 10) !== STORED) throw new Error(`${file}: ${name} is compressed`);
    const local = bytes.readUInt32LE(at + 42);
    const start =
      local + LOCAL_HEADER_BYTES + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    arrays.set(name, readNpy(bytes.subarray(start, start + bytes.readUInt32LE(at + 24)), `${file}: ${name}`));
    at = nameEnd + (extraBytes ?? 0) + (commentBytes ?? 0);
  }
  return arrays;
}

function endOfDirectory(bytes: Buffer, file: string): number {
  const last = bytes.length - END_OF_DIRECTORY_BYTES;
  for (let at = last; at >= Math.max(0, last - MAX_COMMENT_BYTES); at -= 1)
    if (bytes.readUInt32LE(at) === END_OF_DIRECTORY) return at;
  throw new Error(`${file} is no .npz file`);
}

function readNpy(bytes: Buffer, what: string): NumericArray {
  if (bytes.toString('latin1', 0, 6) !== '\x93NUMPY') throw new Error(`${what} is no array`);
  const wide = (bytes[6] ?? 0) >= 2;
  const headerBytes = wide ? bytes.readUInt32LE(8) : bytes.readUInt16LE(8);
  const from = (wide ? 12 : 10) + headerBytes;
  const header = bytes.toString('latin1', wide ? 12 : 10, from);
  const type = /'descr': *'([^']+)'/.exec(header)?.[1] ?? '';
  const shape = (/'shape': *\(([^)]*)\)/.exec(header)?.[1] ?? '').split(',').flatMap((part) => {
    return part.trim() === '' ? [] : [Number(part)];
  });
  if (/'fortran_order': *True/.test(header)) throw new Error(`${what} is stored by columns`);
  const length = shape.reduce((product, size) => product * size, 1);
  const kind = TYPES[type];
  if (!kind) throw new Error(`${what} has type ${type}`);
  // A copy, because typed arrays must be aligned.
  const data = Uint8Array.from(bytes.subarray(from, from + length * kind.bytes)).buffer;
  return { shape, values: kind.read(data) };
}

const TYPES: Readonly<Record<string, { bytes: number; read: (data: ArrayBuffer) => ArrayLike<number> }>> = {
  '|b1': { bytes: 1, read: (data) => new Uint8Array(data) },
  '|u1': { bytes: 1, read: (data) => new Uint8Array(data) },
  '|i1': { bytes: 1, read: (data) => new Int8Array(data) },
  '<i2': { bytes: 2, read: (data) => new Int16Array(data) },
  '<i4': { bytes: 4, read: (data) => new Int32Array(data) },
  '<f2': { bytes: 2, read: (data) => Float32Array.from(new Uint16Array(data), halfToNumber) },
  '<f4': { bytes: 4, read: (data) => new Float32Array(data) },
  '<f8': { bytes: 8, read: (data) => new Float64Array(data) },
};

/** IEEE 754 half precision: 1 bit sign, 5 bits exponent, 10 bits fraction. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = (bits & 0x3ff) / 1024;
  if (exponent === 0) return sign * fraction * 2 ** -14;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction) * 2 ** (exponent - 15);
}
