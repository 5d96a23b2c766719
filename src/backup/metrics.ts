import { Gauge, Registry } from 'prom-client';

/** For the alert about backups that are too old. */
export async function backupMetrics(succeeded: Date): Promise<string> {
  const registry = new Registry();
  new Gauge({
    name: 'moorage_backup_last_success_timestamp_seconds',
    help: 'When a backup was last made.',
    registers: [registry],
  }).set(succeeded.getTime() / 1000);
  return registry.metrics();
}
