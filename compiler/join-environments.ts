import type { Compilation } from './compile.ts';
import { byPlace, type Diagnostic } from './mistakes/diagnostic.ts';

/**
 * Joins the compilations of the same files in several environments. A mistake that occurs only in some environments names them. A file has
 * a plan only if it has one in all of them.
 * @param compiled by environment; the same files in the same order
 */
export function joinEnvironments(compiled: ReadonlyMap<string, readonly Compilation[]>): readonly Compilation[] {
  const [first = []] = compiled.values();
  return first.map(({ plan, ...compilation }, index) => {
    const each = [...compiled].flatMap(([name, compilations]) => (compilations[index] ? [{ name, ...compilations[index] }] : []));
    const found = new Map<string, { readonly diagnostic: Diagnostic; readonly names: string[] }>();
    for (const { name, diagnostics } of each) {
      for (const diagnostic of diagnostics) {
        const key = JSON.stringify(diagnostic);
        const known = found.get(key);
        if (known) known.names.push(name);
        else found.set(key, { diagnostic, names: [name] });
      }
    }
    const diagnostics = [...found.values()].map(({ diagnostic, names }) => {
      if (new Set(names).size === compiled.size) return diagnostic;
      return { ...diagnostic, message: `${diagnostic.message} (environment: ${names.join(', ')})` };
    });
    const isGood = plan !== undefined && each.every((other) => other.plan !== undefined);
    return { ...compilation, ...(isGood && { plan }), diagnostics: diagnostics.sort(byPlace) };
  });
}
