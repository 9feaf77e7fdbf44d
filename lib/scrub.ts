/** What stands in the place of a secret. */
const HIDDEN = '***';

const FORMS: readonly (readonly [RegExp, string])[] = [
  // user:password@ in a URL
  [/([a-z][a-z0-9+.-]*:\/\/)[^\s/@'"]+@/gi, `$1${HIDDEN}@`],
  [/\b(authorization\s*[:=]\s*)(bearer|basic)?\s*[^\s,;'"]+/gi, `$1${HIDDEN}`],
  [/\b(bearer\s+)[a-z0-9._~+/-]{8,}=*/gi, `$1${HIDDEN}`],
  [
    /((?:password|passwd|pwd|secret|token|api[_-]?key|access[_-]?key(?:[_-]?id)?|routing[_-]?key|credential)s?["']?\s*[:=]\s*)("[^"]*"|'[^']*'|[^\s,;&)}\]]+)/gi,
    `$1${HIDDEN}`,
  ],
  [/\b(AKIA|ASIA)[A-Z0-9]{16}\b/g, HIDDEN],
  // The path of a webhook of Slack is what lets in.
  [/(https?:\/\/hooks\.slack(?:-gov)?\.com\/)[^\s<>|"'),]+/gi, `$1${HIDDEN}`],
  [/([?&](?:x-amz-signature|x-amz-credential|x-amz-security-token|sig|signature)=)[^&\s]+/gi, `$1${HIDDEN}`],
];

/**
 * Takes secrets out of a text that goes to people: passwords in URLs, values of keys that sound like secrets, tokens; and `known`, texts that
 * are secret whatever they look like.
 */
export function scrub(text: string, known: readonly string[] = []): string {
  let clean = text;
  for (const secret of known) if (secret.length >= 4) clean = clean.replaceAll(secret, HIDDEN);
  for (const [form, instead] of FORMS) clean = clean.replace(form, instead);
  return clean;
}

/** Every secret that connections of an environment hold, the longest first: a part of one is not left over. */
export function secretsOf(environment: Readonly<Record<string, string | undefined>>): string[] {
  const found = new Set<string>();
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith('SLUICE_CONN_') || !value) continue;
    for (const secret of secretsIn(value)) found.add(secret);
  }
  return [...found].filter((secret) => secret.length >= 4).sort((a, b) => b.length - a.length);
}

const SECRET_KEYS = /password|secret|token|key/i;

function secretsIn(value: string): string[] {
  if (value.trimStart().startsWith('{')) {
    try {
      return Object.entries(JSON.parse(value) as Record<string, unknown>).flatMap(([key, each]) =>
        SECRET_KEYS.test(key) && typeof each === 'string' ? [each] : [],
      );
    } catch {
      return [];
    }
  }
  const userinfo = /^[a-z0-9+]+:\/\/([^/?#]*)@/.exec(value)?.[1] ?? '';
  const [user = '', password] = userinfo.split(':');
  const secrets = [password ?? (value.startsWith('pagerduty:') ? user : undefined)].filter((each) => each !== undefined);
  const query = [...new URLSearchParams(value.split('?')[1] ?? '')].flatMap(([key, each]) => (SECRET_KEYS.test(key) ? [each] : []));
  return [...secrets, ...secrets.map(decoded), ...query];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
