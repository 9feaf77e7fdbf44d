/** Starts to measure what this process needs of the CPU: other tests run beside this one. @returns the milliseconds since then */
export function cpuTimer(): () => number {
  const began = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(began);
    return (user + system) / 1_000;
  };
}
