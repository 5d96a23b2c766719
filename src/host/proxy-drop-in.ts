import { type ForwardProxies, LOOPBACK } from '../settings/forward-proxy.ts';

/** The variables that the engine is to have. `undefined`: it is to have none of that name. */
export interface EngineProxies {
  readonly HTTP_PROXY: string | undefined;
  readonly HTTPS_PROXY: string | undefined;
  readonly NO_PROXY: string | undefined;
}

/** What is reached directly, beside what the settings say. */
export interface Near {
  readonly names: readonly string[];
  readonly addresses: readonly string[];
  readonly networks: readonly string[];
}

export const PROXY_NAMES = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'] as const;
const HEAD =
  '# Written by `npm run proxy` from the settings in .env, and taken away by `npm run proxy -- --remove`.';

/** `undefined`: the settings name no proxy. */
export function engineProxies(
  { http, https, except }: ForwardProxies,
  near: Near,
): EngineProxies | undefined {
  if (http === undefined && https === undefined) return undefined;
  const direct = [...except, ...LOOPBACK, ...near.names, ...near.addresses, ...near.networks];
  return {
    HTTP_PROXY: http?.url.reveal(),
    HTTPS_PROXY: https?.url.reveal(),
    NO_PROXY: [...new Set(direct)].join(','),
  };
}

/**
 * systemd.unit(5): a part of docker.service. What stands in a unit everybody may ask systemd for, whatever the file's mode
 * (systemd.exec(5), Environment=), so the values are in a file of their own. Without it the engine starts all the same.
 * @param variables its path
 */
export function dropIn(variables: string): string {
  return `${[HEAD, '[Service]', `EnvironmentFile=-${variables.replaceAll('%', '%%')}`].join('\n')}\n`;
}

/** systemd.exec(5), EnvironmentFile=. There may be a password in it. */
export function variablesFile(wanted: EngineProxies): string {
  const lines = PROXY_NAMES.flatMap((name) => {
    const value = wanted[name];
    return value === undefined ? [] : [`${name}="${value.replace(/["\\$`]/g, '\\$&')}"`];
  });
  return `${[HEAD, ...lines].join('\n')}\n`;
}

/** What a process has in its environment, from /proc/PID/environ. */
export function readEnviron(environ: string): EngineProxies {
  const values = new Map(
    environ.split('\0').map((each) => {
      const end = each.indexOf('=');
      return [each.slice(0, end), each.slice(end + 1)] as const;
    }),
  );
  return {
    HTTP_PROXY: values.get('HTTP_PROXY'),
    HTTPS_PROXY: values.get('HTTPS_PROXY'),
    NO_PROXY: values.get('NO_PROXY'),
  };
}

export function sameProxies(one: EngineProxies, other: EngineProxies): boolean {
  return PROXY_NAMES.every((name) => one[name] === other[name]);
}

/** As the engine shows it (`maskCredentials` of moby's daemon/info.go). */
export function masked(url: string | undefined): string {
  if (url === undefined) return '';
  return url.replace(/^([a-z]+:\/\/).*@/i, '$1xxxxx:xxxxx@');
}
