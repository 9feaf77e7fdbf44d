// Preloaded by `--import`: the clock of the process is wrong by WRONG_CLOCK_MS milliseconds, as far as JavaScript can see.
const wrongBy = Number(process.env.WRONG_CLOCK_MS);
const Real = Date;

globalThis.Date = class extends Real {
  constructor(...args) {
    if (args.length === 0) super(Real.now() + wrongBy);
    else super(...args);
  }

  static now() {
    return Real.now() + wrongBy;
  }
};
