/** Installs what is measured beside ackd: programs from Debian, where they are missing, and packages of npm into this folder. */
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { release } from 'node:os'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('.', import.meta.url))

/** Each program, by its package. */
const programs = {
  mosquitto: 'mosquitto',
  'nats-server': 'nats-server',
  'redis-server': 'redis-server',
  chrt: 'util-linux',
}

/** Some are where only root looks. */
process.env['PATH'] = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`

export function install(): void {
  const wanted = Object.entries(programs).flatMap(([program, from]) => (isThere(program) ? [] : [from]))
  if (wanted.length > 0) {
    // A service that a package brings along is not started: each run starts its own.
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
    const apt = (...args: string[]): unknown => execFileSync('apt-get', ['-qq', ...args], { env, stdio: 'inherit' })
    apt('update')
    apt('install', '-y', '--no-install-recommends', ...wanted)
  }
  const npm = ['install', '--prefix', folder, '--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error']
  execFileSync('npm', npm, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
}

function isThere(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0
}

/** What is measured, by name, as far as it can be asked. */
export function versions(): Readonly<Record<string, string>> {
  const said = (pattern: RegExp, program: string, ...args: string[]): string => {
    const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' })
    return pattern.exec(stdout + stderr)?.[1] ?? 'unknown'
  }
  const ofPackage = (name: string, from: string): string => {
    const text = readFileSync(new URL(`${from}node_modules/${name}/package.json`, import.meta.url), 'utf8')
    return /"version": "([^"]+)"/.exec(text)?.[1] ?? 'unknown'
  }
  return {
    ackd: said(/(\w+)/, 'git', 'rev-parse', '--short', 'HEAD'),
    Node: process.versions.node,
    'uWebSockets.js': ofPackage('uWebSockets.js', '../../'),
    Mosquitto: said(/version ([\d.]+)/, 'mosquitto', '-h'),
    'nats-server': said(/v([\d.]+)/, 'nats-server', '--version'),
    Redis: said(/v=([\d.]+)/, 'redis-server', '--version'),
    'Socket.IO': ofPackage('socket.io', './'),
    aedes: ofPackage('aedes', './'),
    Linux: release(),
  }
}
