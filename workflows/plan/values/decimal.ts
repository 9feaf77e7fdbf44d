/** Maximum length of a number's text. Parsing takes time proportional to the square of the length. */
const MAX_DIGITS = 10_000;
/** Longer numbers are written with an exponent. In digits. */
const MAX_PLAIN_DIGITS = 60;
/** Sums of numbers whose exponents differ by more would have too many digits. In digits. */
const MAX_SHIFT = 10_000;
/** Exponents are JavaScript integers; real numbers stay far below this limit. */
const MAX_EXPONENT = 1e12;

/** A decimal number of any size: `digits` × 10^`exponent`. Comparisons, sums, differences and products are exact. */
export class Decimal {
  private constructor(
    /** Without trailing zeros. */
    readonly digits: bigint,
    readonly exponent: number,
    /** The text that it was read from. */
    private readonly written?: string,
  ) {}

  /**
   * @param value a number, or its text; a double is read as its shortest text: 0.1 is one tenth
   * @throws RangeError for a value that is not a number
   */
  static of(value: string | number | bigint): Decimal {
    const text = String(value);
    if (text.length > MAX_DIGITS) throw new RangeError(`a number has ${text.length} digits; at most ${MAX_DIGITS} can be computed with`);
    const [, sign = '', whole = '', fraction = '', power = '0'] = /^([+-]?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
    if (whole === '') throw new RangeError(`'${text}' is not a number`);
    const exponent = Math.max(-MAX_EXPONENT, Math.min(MAX_EXPONENT, Number(power))) - fraction.length;
    return normal(`${sign === '-' ? '-' : ''}${whole}${fraction}`, exponent, typeof value === 'string' ? text : undefined);

    function normal(digits: string, ten: number, written?: string): Decimal {
      let end = digits.length;
      while (end > 1 && digits[end - 1] === '0') end--;
      const significant = digits.slice(0, end);
      const isZero = /^-?0*$/.test(significant);
      return new Decimal(isZero ? 0n : BigInt(significant), isZero ? 0 : ten + digits.length - end, written);
    }
  }

  /** The number as an integer; undefined if it is not one, or exceeds 64 bits, the size of CEL integers. */
  get int64(): bigint | undefined {
    if (this.exponent < 0 || this.magnitude > 19) return undefined;
    const value = this.digits * 10n ** BigInt(this.exponent);
    return BigInt.asIntN(64, value) === value ? value : undefined;
  }

  get isWhole(): boolean {
    return this.exponent >= 0;
  }

  /** Without the fraction. */
  truncated(): Decimal {
    if (this.isWhole) return this;
    return this.magnitude <= 0 ? Decimal.of(0n) : Decimal.of(this.digits / 10n ** BigInt(-this.exponent));
  }

  /** @returns a negative number, zero or a positive number if `this` is smaller, equal or larger */
  compare(other: Decimal): number {
    const [sign, otherSign] = [signOf(this.digits), signOf(other.digits)];
    if (sign !== otherSign || sign === 0) return sign - otherSign;
    // Compare numbers of different magnitudes without scaling them: 1e400 has 401 digits only when written out.
    if (this.magnitude !== other.magnitude) return (this.magnitude - other.magnitude) * sign;
    const exponent = Math.min(this.exponent, other.exponent);
    const difference = this.shifted(exponent) - other.shifted(exponent);
    return signOf(difference);
  }

  /** @throws RangeError when the sum would have too many digits */
  plus(other: Decimal): Decimal {
    const exponent = Math.min(this.exponent, other.exponent);
    if (Math.max(this.exponent, other.exponent) - exponent > MAX_SHIFT)
      throw new RangeError('numbers of such different sizes cannot be added');
    return Decimal.of(`${this.shifted(exponent) + other.shifted(exponent)}e${exponent}`).unwritten();
  }

  minus(other: Decimal): Decimal {
    return this.plus(other.negated());
  }

  times(other: Decimal): Decimal {
    return Decimal.of(`${this.digits * other.digits}e${this.exponent + other.exponent}`).unwritten();
  }

  negated(): Decimal {
    return new Decimal(-this.digits, this.exponent);
  }

  /** The nearest double; Infinity for larger numbers. */
  toNumber(): number {
    return Number(`${this.digits}e${this.exponent}`);
  }

  /** The text it was parsed from; for a computed number, the canonical text. */
  toString(): string {
    return this.written ?? this.canonical();
  }

  /** The same text for equal numbers, however they were written. */
  canonical(): string {
    const digits = (this.digits < 0n ? -this.digits : this.digits).toString();
    const sign = this.digits < 0n ? '-' : '';
    const { exponent } = this;
    if (exponent === 0 || (exponent > 0 && digits.length + exponent <= MAX_PLAIN_DIGITS)) return `${sign}${digits}${'0'.repeat(exponent)}`;
    if (exponent < 0 && -exponent <= MAX_PLAIN_DIGITS) {
      const padded = digits.padStart(1 - exponent, '0');
      return `${sign}${padded.slice(0, exponent)}.${padded.slice(exponent)}`;
    }
    return `${sign}${digits}e${exponent}`;
  }

  /** The number of digits before the decimal point; negative for zeros after it. */
  private get magnitude(): number {
    return this.digits.toString().length - (this.digits < 0n ? 1 : 0) + this.exponent;
  }

  private shifted(exponent: number): bigint {
    return this.digits * 10n ** BigInt(this.exponent - exponent);
  }

  private unwritten(): Decimal {
    return new Decimal(this.digits, this.exponent);
  }
}

function signOf(value: bigint): number {
  return value === 0n ? 0 : value < 0n ? -1 : 1;
}
