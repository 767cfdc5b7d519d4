// Known weaknesses of what runs in production. A registry that can't tell is said and is no failure; a weakness of weight
// is one.
import { spawnSync } from 'node:child_process';

const WEIGHTY = ['high', 'critical'];

const { stdout, stderr, error } = spawnSync('npm', ['audit', '--omit=dev', '--json', '--fetch-retries=1'], {
  encoding: 'utf8',
});
const report = parsed(stdout);
const counts = report?.metadata?.vulnerabilities;

if (counts === undefined) {
  const reason = report?.message ?? error?.message ?? firstLine(stderr) ?? 'no answer';
  console.log(`audit unavailable: ${reason}`);
} else {
  const found = Object.values(report.vulnerabilities ?? {});
  for (const { name, severity, range } of found) console.log(`${severity}: ${name} ${range}`);
  const weighty = WEIGHTY.reduce((sum, severity) => sum + (counts[severity] ?? 0), 0);
  console.log(`audit: ${weighty} of ${counts.total ?? found.length} known weaknesses are high or critical`);
  process.exitCode = weighty > 0 ? 1 : 0;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function firstLine(text) {
  return text?.split('\n').find((line) => line.trim() !== '');
}
