/**
 * The commands, their flags and their help, and nothing of what they do: each is in a file of its own, loaded when it is called, so that
 * `ackd send` does not wait for a server to be loaded.
 *
 * A flag is checked when it is read. What a command throws becomes an exit code here, in one place.
 */
import { Argument, Command, CommanderError, Option } from 'commander'
import type { Option as ServerOption } from '../option-kinds.ts'
import { environmentName, flagName, optionTable } from '../options.ts'
import { readVersion } from '../version.ts'
import type { BenchFlags } from './bench.ts'
import type { Context } from './context.ts'
import type { ChatFlags } from './chat.ts'
import type { ConformanceFlags } from './conformance.ts'
import { exitCodes, Failure } from './failure.ts'
import type { HistoryFlags, LookFlags } from './look.ts'
import type { ListenFlags } from './listen.ts'
import type { MailboxFlags } from './mailbox.ts'
import { addOperatorCommands } from './program-operator.ts'
import { addUrl, checkUrl, connecting, examples, profiling, quantityFlag } from './program-flags.ts'
import { aCount, aDuration, aSize } from './quantities.ts'
import type { SendFlags } from './send.ts'
import type { Terminal } from './terminal.ts'
import { DEFAULT_PROFILE, type Whose } from './profiles.ts'
import type { WhoFlags } from './who.ts'

const MAX_BODY_FLAG = 1024 * 1024 - 1024

/** Runs one command line to its end and returns the exit code. */
export async function run(
  argv: readonly string[],
  terminal: Terminal,
  environment: NodeJS.ProcessEnv,
): Promise<number> {
  try {
    const program = createProgram({ terminal, environment })
    await program.parseAsync(withHelpLast(argv, program), { from: 'user' })
    return exitCodes.ok
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
    if (!(error instanceof Failure)) throw error
    terminal.complain(`${terminal.tint('red', 'ackd:')} ${error.message}`)
    terminal.complain(`  ${terminal.tint('dim', 'fix:')} ${error.fix}`)
    return exitCodes[error.ending]
  }
}

/** `help send` as `send --help`, also for a command of a command; of one that is not there nothing can be told but that. */
function withHelpLast(argv: readonly string[], program: Command): readonly string[] {
  const [first, ...words] = argv
  if (first !== 'help' || words.length === 0) return argv
  return program.commands.some(command => command.name() === words[0]) ? [...words, '--help'] : words
}

function createProgram(context: Context): Command {
  const { terminal } = context
  const program = new Command('ackd')
    .description(
      'A reliable messaging server: every message is acknowledged by its recipient, or kept, in order, until it is back.',
    )
    .version(readVersion(), '-V, --version')
    .exitOverride()
    .configureOutput({
      outputError: (text, write) => write(`ackd: ${text.replace(/^error: /, '')}`),
      writeOut: text => void terminal.data(text.replace(/\n$/, '')),
      writeErr: text => terminal.complain(text.replace(/\n$/, '')),
    })
    .addHelpText(
      'after',
      examples(
        ...['ackd serve', 'ackd listen --as bob', 'ackd send bob "hello"', 'ackd chat', 'ackd mailbox ls'],
        'ACKD_ADMIN_TOKEN=… ackd rooms ls   (that of the server; for clients, rooms, nodes, user and trace)',
      ),
    )
  addServe(program, context)
  addDoctor(program, context)
  addListen(program, context)
  addSend(program, context)
  addChat(program, context)
  addMailbox(program, context)
  addProfiles(program, context)
  addBench(program, context)
  addConformance(program, context)
  addLooks(program, context)
  addOperatorCommands(program, context)
  pointToHelp(program, 'ackd')
  return program
}

/** Who writes a command wrongly is pointed to the help of that command. */
function pointToHelp(command: Command, name: string): void {
  command.showHelpAfterError(`  fix: see ${name} --help`)
  for (const one of command.commands) pointToHelp(one, `${name} ${one.name()}`)
}

function addServe(program: Command, context: Context): void {
  serverOptions(program.command('serve'))
    .description('Run a server.')
    .addHelpText(
      'after',
      examples('ackd serve', 'ackd serve --port 0 --data-dir /var/lib/ackd', 'ackd serve --store memory'),
    )
    .action(async (flags: Record<string, string>) => {
      const { serve } = await import('./serve.ts')
      await serve(flags, context)
    })
  program
    .command('options')
    .description('List what can be set on a server, with defaults and ranges.')
    .option('--markdown', 'as the page docs/options.md')
    .addHelpText('after', examples('ackd options', 'ackd options | grep mailbox'))
    .action(async (flags: { markdown?: boolean }) => {
      const { optionsPage, optionsList } = await import('./options-page.ts')
      for (const line of flags.markdown ? optionsPage() : optionsList()) await context.terminal.data(line)
    })
}

function addDoctor(program: Command, context: Context): void {
  serverOptions(program.command('doctor'))
    .description(
      'Check, before a server starts or beside it, whether it has what it needs; it takes the flags of serve.',
    )
    .option('--json', 'one JSON object for each finding')
    .addHelpText('after', examples('ackd doctor', 'ACKD_REDIS_URL=redis://:secret@redis ackd doctor --json'))
    .action(async ({ json, ...flags }: Record<string, string> & { json?: true }) => {
      const { doctor } = await import('./doctor.ts')
      await doctor(flags, json === true, context)
    })
}

function addListen(program: Command, context: Context): void {
  connecting(program.command('listen'), context)
    .description('Print the messages for a client, one a line, and ack each once it is printed.')
    .addOption(
      new Option('--ack <mode>', 'none: print but never ack, so that everything comes again')
        .choices(['auto', 'none'])
        .default('auto'),
    )
    .addOption(quantityFlag('-n, --count <n>', 'end after this many messages', aCount(1, 2 ** 31)))
    .addOption(new Option('--json', 'one JSON object a line; the first says who is listening').conflicts('raw'))
    .option('--raw', 'only the bodies, as they are')
    .addHelpText(
      'after',
      examples(
        'ackd listen --as bob',
        'ackd listen --as bob --json | jq .body',
        'ackd listen -n 1 --raw > message.txt',
      ),
    )
    .action(async (flags: ListenFlags) => {
      const { listen } = await import('./listen.ts')
      await listen(flags, context)
    })
}

function addSend(program: Command, context: Context): void {
  connecting(program.command('send'), context)
    .description('Send a message and say what became of it.')
    .argument('<to>', 'a profile of this machine if there is one of that name, else an id')
    .addArgument(new Argument('[body]', 'text; - reads stdin, one message a line'))
    .option('--body-json', 'the body, or each line, is JSON')
    .addOption(quantityFlag('--ttl <duration>', 'give up on it after this time in the mailbox, such as 60s', aDuration))
    .addOption(
      new Option('--wait <state>', 'what to wait for; stored is content with either')
        .choices(['stored', 'delivered'])
        .default('stored'),
    )
    .option('--json', 'one JSON object for each message')
    .addHelpText(
      'after',
      examples(
        'ackd send bob "hello"',
        'ackd send V1StGXR8_Z5jdHi6 hello --wait delivered',
        'tail -f app.log | ackd send bob -',
      ),
    )
    .action(async (to: string, body: string | undefined, flags: SendFlags) => {
      const { send } = await import('./send.ts')
      await send(to, body, flags, context)
    })
}

function addChat(program: Command, context: Context): void {
  connecting(program.command('chat'), context)
    .description('Talk in a room; everybody in it hears what you type.')
    .argument('[room]', 'its name; the # may be left out', '#lobby')
    .option('--password <password>', 'if the room wants one')
    .option('--create', 'make the room first, with that password if one is given')
    .option('--name <name>', 'what others see; else the profile, else the user of this machine')
    .addHelpText(
      'after',
      examples('ackd chat', 'ackd chat games --as bob', 'ackd chat games --create', 'ackd chat --url tcp://127.0.0.1'),
    )
    .action(async (room: string, flags: ChatFlags) => {
      const { chat } = await import('./chat.ts')
      await chat(room, flags, context)
    })
}

function addMailbox(program: Command, context: Context): void {
  const mailbox = program
    .command('mailbox')
    .description('Look into the store, also while the server runs.')
    .addHelpText('after', examples('ackd mailbox ls', 'ackd mailbox view bob'))
  const list = mailbox.command('ls').description('The clients with messages waiting.')
  const view = mailbox.command('view').description('The messages waiting for one client; nothing is taken out.')
  for (const command of [list, view]) {
    command
      .option(
        '--data-dir <directory>',
        'where the embedded store is (ACKD_DATA_DIR)',
        context.environment['ACKD_DATA_DIR'] ?? './data',
      )
      // A URL may hold a password, which no help shows.
      .addOption(
        new Option('--redis-url <url>', 'the Redis that keeps everything instead (ACKD_REDIS_URL)').default(
          context.environment['ACKD_REDIS_URL'] ?? 'none',
          'none',
        ),
      )
      .option(
        '--redis-ca <file>',
        'whose certificates that Redis may show (ACKD_REDIS_CA)',
        context.environment['ACKD_REDIS_CA'] ?? 'none',
      )
      .option('--json', 'one JSON object a line')
      .addOption(quantityFlag('-n, --count <n>', 'at most this many', aCount(1, 1_000_000)).default(100))
  }
  list.addHelpText('after', examples('ackd mailbox ls', 'ackd mailbox ls --data-dir /var/lib/ackd --json'))
  view.addHelpText('after', examples('ackd mailbox view bob', 'ackd mailbox view V1StGXR8_Z5jdHi6 -n 1 --json'))
  list.action(async (flags: MailboxFlags) => {
    const { listMailboxes } = await import('./mailbox.ts')
    await listMailboxes(flags, context)
  })
  profiling(view, context)
    .argument('<id>', 'a profile of this machine if there is one of that name, else an id')
    .action(async (id: string, flags: MailboxFlags & Whose) => {
      const { viewMailbox } = await import('./mailbox.ts')
      await viewMailbox(id, flags, context)
    })
}

function addProfiles(program: Command, context: Context): void {
  profiling(program.command('whoami'), context)
    .description('Print the id of a profile.')
    .option('--as <profile>', 'the profile', DEFAULT_PROFILE)
    .addHelpText('after', examples('ackd whoami --as bob', 'ackd send "$(ackd whoami --as bob)" hello --as alice'))
    .action(async (flags: WhoFlags) => {
      const { whoAmI } = await import('./who.ts')
      await whoAmI(flags, context)
    })
  const profile = program
    .command('profile')
    .description('The identities of this machine.')
    .addHelpText('after', examples('ackd profile ls'))
  profiling(profile.command('ls'), context)
    .description('List them: name and id.')
    .addHelpText('after', examples('ackd profile ls', 'ackd profile ls --url wss://ackd.example.com/ws'))
    .action(async (flags: WhoFlags) => {
      const { listProfiles } = await import('./who.ts')
      await listProfiles(flags, context)
    })
}

function addLooks(program: Command, context: Context): void {
  connecting(program.command('presence'), context)
    .description('Say who is online.')
    .argument('<id...>', 'profiles of this machine, else ids')
    .option('--json', 'one JSON object a line')
    .addHelpText('after', examples('ackd presence bob', 'ackd presence bob V1StGXR8_Z5jdHi6 --json'))
    .action(async (ids: string[], flags: LookFlags) => {
      const { presence } = await import('./look.ts')
      await presence(ids, flags, context)
    })
  connecting(program.command('history'), context)
    .description(
      'Print the newest messages of a room, oldest first. For that the profile enters the room and leaves it.',
    )
    .argument('<room>', 'its name; the # may be left out')
    .addOption(quantityFlag('-n, --count <n>', 'at most this many', aCount(1, 1_000_000)).default(50))
    .addOption(quantityFlag('--before <offset>', 'only older ones', aCount(1, 2 ** 48)))
    .addOption(quantityFlag('--after <offset>', 'from the next one on', aCount(0, 2 ** 48)))
    .option('--from <id>', 'only those of one client')
    .option('--password <password>', 'if the room wants one')
    .option('--json', 'one JSON object a line')
    .addHelpText('after', examples('ackd history lobby', 'ackd history lobby --after 120 --json'))
    .action(async (room: string, flags: HistoryFlags) => {
      const { history } = await import('./look.ts')
      await history(room, flags, context)
    })
}

function addBench(program: Command, context: Context): void {
  addUrl(program.command('bench'), context)
    .description('Put load on a running server, through the client library, and measure.')
    .addOption(quantityFlag('--clients <n>', 'clients; each sends to a partner', aCount(2, 10_000)).default(10))
    .addOption(quantityFlag('--window <n>', 'unsettled messages of a client', aCount(1, 64)).default(16))
    .addOption(quantityFlag('--size <bytes>', 'bytes of a body', aSize(8, MAX_BODY_FLAG)).default(128))
    .addOption(quantityFlag('--duration <duration>', 'how long to measure', aDuration).default(5_000, '5s'))
    .addOption(
      quantityFlag(
        '--rate <n>',
        'messages a second of all clients, instead of as many as will go',
        aCount(1, 10_000_000),
      ),
    )
    .option('--json', 'the figures as a JSON object')
    .addHelpText('after', examples('ackd bench', 'ackd bench --clients 100 --rate 5000 --duration 30s'))
    .action(async (flags: BenchFlags) => {
      const { bench } = await import('./bench.ts')
      await bench(flags, context)
    })
}

function addConformance(program: Command, context: Context): void {
  program
    .command('conformance')
    .description('Try on a server, in any language, what the protocol says.')
    .argument('<url...>', 'where it is; with several, also messages between them')
    .option('--ca <file>', 'whose TLS certificates to trust, as PEM')
    .option('--json', 'one JSON object for each check')
    .addHelpText(
      'after',
      examples(
        'ackd conformance ws://127.0.0.1:5000/ws',
        'ackd conformance tcp://127.0.0.1 tls://localhost --ca cert.pem',
      ),
    )
    .action(async (urls: string[], flags: ConformanceFlags) => {
      const { conformance } = await import('./conformance.ts')
      await conformance(
        urls.map(url => checkUrl(url, 'URL')),
        flags,
        context,
      )
    })
}

/** Everything that can be set on a server. */
function serverOptions(command: Command): Command {
  command.option('--config <file>', 'Options as a JSON object: {"port": 5000}. (ACKD_CONFIG)')
  for (const [name, option] of Object.entries<ServerOption<unknown>>(optionTable)) {
    const { help, range, shown } = option
    command.option(`${flagName(name)} <value>`, `${help} (${range}; default ${shown}; ${environmentName(name)})`)
  }
  return command
}
