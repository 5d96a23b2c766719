import { z } from 'zod';
import { messageOf } from '../errors.ts';
import { lastLines, type Run } from '../system/processes.ts';

/** What the engine says of itself, as `docker info` shows it. */
export interface EngineInfo {
  readonly version: string;
  readonly rootless: boolean;
  /** Passwords are masked by the engine. Empty: none. */
  readonly httpProxy: string;
  readonly httpsProxy: string;
  readonly noProxy: string;
  /** Containers go on while the engine is restarted. */
  readonly liveRestore: boolean;
  readonly running: number;
  /** Registries whose certificates are not looked at. */
  readonly insecure: readonly string[];
}

const text = z.string().nullish();
const shape = z.object({
  ServerVersion: z.string().min(1),
  SecurityOptions: z.array(z.string()).nullish(),
  HttpProxy: text,
  HttpsProxy: text,
  NoProxy: text,
  LiveRestoreEnabled: z.boolean().nullish(),
  ContainersRunning: z.number().nullish(),
  RegistryConfig: z
    .object({ IndexConfigs: z.record(z.string(), z.object({ Secure: z.boolean() })).nullish() })
    .nullish(),
});

/** By Docker's own client, so that contexts and DOCKER_HOST count. @returns the reason where there is none */
export async function engineInfo(run: Run): Promise<EngineInfo | string> {
  const { exitCode, stdout, stderr } = await run('docker', ['info', '--format', '{{json .}}']);
  try {
    const info = shape.parse(JSON.parse(stdout));
    const indexes = Object.entries(info.RegistryConfig?.IndexConfigs ?? {});
    return {
      version: info.ServerVersion,
      rootless: (info.SecurityOptions ?? []).some((each) => each.includes('name=rootless')),
      httpProxy: info.HttpProxy ?? '',
      httpsProxy: info.HttpsProxy ?? '',
      noProxy: info.NoProxy ?? '',
      liveRestore: info.LiveRestoreEnabled ?? false,
      running: info.ContainersRunning ?? 0,
      insecure: indexes.filter(([, { Secure }]) => !Secure).map(([name]) => name),
    };
  } catch (error) {
    if (/^\s*"buildahVersion":/m.test(stdout)) return 'what is Docker here is Podman';
    return exitCode === 127 ? 'there is no docker' : lastLines(stderr) || messageOf(error);
  }
}
