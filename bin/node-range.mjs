// Plain JavaScript without packages: works on a fresh clone and on an old Node.

/**
 * Whether a range of `engines` allows a release of Node. Of each alternative it reads `^20.19`, `>=22.12`, `>=v12`, `20`, `20.x` or `*`.
 * @param {string} range alternatives, separated by `||`
 * @param {number} major
 * @param {number} minor
 */
export function allowsNode(range, major, minor) {
  return range.split('||').some((part) => {
    const [, operator = '', from = '', least = ''] = /^\s*(\^|>=)?\s*v?(\d+|\*)(?:\.(\d+))?/.exec(part) || [];
    if (from === '*') return true;
    if (operator === '>=' && major > Number(from)) return true;
    return major === Number(from) && (operator === '' && least !== '' ? minor === Number(least) : minor >= Number(least));
  });
}
