// Preloaded with `--import`: shifts the JavaScript clock of the process by WRONG_CLOCK_MS milliseconds.
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
