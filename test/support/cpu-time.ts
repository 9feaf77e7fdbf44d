/**
 * Measures the CPU time of this process instead of wall time, because other tests run concurrently. @returns the milliseconds since then
 */
export function cpuTimer(): () => number {
  const began = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(began);
    return (user + system) / 1_000;
  };
}
