const WORDS = 64;
const BLOCK_BYTES = 64;

/** The first 32 bits of the fractional part of a root of each of the first primes (FIPS 180-4). */
function fractionsOfPrimes(count: number, root: (prime: number) => number): number[] {
  const primes: number[] = [];
  for (let n = 2; primes.length < count; n++) if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  return primes.map((prime) => ((root(prime) % 1) * 2 ** 32) | 0);
}

const INITIAL = fractionsOfPrimes(8, Math.sqrt);
const ROUND = fractionsOfPrimes(WORDS, Math.cbrt);

/** The SHA-256 of a text in UTF-8, as 64 hexadecimal digits. For workflows, whose sandbox has no `node:crypto`. */
export function sha256Hex(text: string): string {
  const data = new TextEncoder().encode(text);
  // The data, a 1 bit, zeros, and the length in bits as a 64-bit number.
  const padded = new DataView(new ArrayBuffer(Math.ceil((data.length + 9) / BLOCK_BYTES) * BLOCK_BYTES));
  for (const [index, byte] of data.entries()) padded.setUint8(index, byte);
  padded.setUint8(data.length, 0x80);
  padded.setBigUint64(padded.byteLength - 8, BigInt(data.length) * 8n);
  let state = INITIAL;
  for (let from = 0; from < padded.byteLength; from += BLOCK_BYTES) state = compress(state, padded, from);
  return state.map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
}

function compress(state: readonly number[], data: DataView, from: number): number[] {
  const words: number[] = [];
  const word = (index: number): number => words[index] ?? 0;
  for (let t = 0; t < WORDS; t++) {
    if (t < 16) words.push(data.getInt32(from + 4 * t));
    else {
      const [before, last] = [word(t - 15), word(t - 2)];
      const first = rotate(before, 7) ^ rotate(before, 18) ^ (before >>> 3);
      const second = rotate(last, 17) ^ rotate(last, 19) ^ (last >>> 10);
      words.push((word(t - 16) + first + word(t - 7) + second) | 0);
    }
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
  for (let t = 0; t < WORDS; t++) {
    const chosen = (e & f) ^ (~e & g);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    const first = (h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + chosen + (ROUND[t] ?? 0) + word(t)) | 0;
    const second = ((rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + majority) | 0;
    [a, b, c, d, e, f, g, h] = [(first + second) | 0, a, b, c, (d + first) | 0, e, f, g];
  }
  return [a, b, c, d, e, f, g, h].map((value, index) => (value + (state[index] ?? 0)) | 0);
}

function rotate(value: number, bits: number): number {
  return (value >>> bits) | (value << (32 - bits));
}
