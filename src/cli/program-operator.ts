/**
 * The commands of those who run a server: what they see and do by its HTTP API, and tokens. Flags and help only, like `program.ts`.
 */
import type { Command } from 'commander'
import type { AddFlags, ChangeName } from './account.ts'
import type { AdminFlags } from './admin.ts'
import type { Context } from './context.ts'
import type { ListFlags } from './operate.ts'
import { asking, examples, listing, quantityFlag } from './program-flags.ts'
import { aDuration } from './quantities.ts'
import type { CreateTokenFlags, TokenFlags } from './token.ts'

export function addOperatorCommands(program: Command, context: Context): void {
  addClients(program, context)
  addRooms(program, context)
  addNodes(program, context)
  addUsers(program, context)
  addTokens(program, context)
  addTrace(program, context)
}

function addTrace(program: Command, context: Context): void {
  asking(program.command('trace'), context)
    .description('Say where a message is, and what happened to it, step by step, by the HTTP API.')
    .argument('<from>', 'who sent it: a profile of this machine, else an id')
    .argument('<outbox>', 'the outbox that it was sent from, as mailbox view --json and clients info tell it')
    .argument('<n>', 'its number')
    .option('--to <id>', 'who it is for; then the store is asked also when no step is remembered')
    .addHelpText('after', examples('ackd trace alice x3Vg_1aZ0q 7', 'ackd trace alice x3Vg_1aZ0q 7 --to bob'))
    .action(async (from: string, outbox: string, n: string, flags: AdminFlags & { to?: string }) => {
      const { trace } = await import('./operate.ts')
      await trace([from, outbox, n], flags, context)
    })
}

function addClients(program: Command, context: Context): void {
  const clients = program
    .command('clients')
    .description('The clients of a server, by its HTTP API.')
    .addHelpText('after', examples('ackd clients ls --online', 'ackd clients info bob'))
  listing(clients.command('ls'), context)
    .description('Those that are connected, or have messages waiting.')
    .addHelpText('after', examples('ackd clients ls --online', 'ackd clients ls -n 10 --json'))
    .option('--online', 'only those that are connected to this node')
    .action(async (flags: ListFlags) => {
      const { listClients } = await import('./operate.ts')
      await listClients(flags, context)
    })
  asking(clients.command('info'), context)
    .description('What is known of one.')
    .addHelpText('after', examples('ackd clients info bob', 'ackd clients info V1StGXR8_Z5jdHi6 --json'))
    .argument('<id>', 'a profile of this machine if there is one of that name, else an id')
    .action(async (id: string, flags: AdminFlags) => {
      const { showClient } = await import('./operate.ts')
      await showClient(id, flags, context)
    })
  asking(clients.command('kick'), context)
    .description('Close the connection of one. What it has not acked waits for its next one.')
    .addHelpText('after', examples('ackd clients kick V1StGXR8_Z5jdHi6'))
    .argument('<id>', 'a profile of this machine if there is one of that name, else an id')
    .action(async (id: string, flags: AdminFlags) => {
      const { kickClient } = await import('./operate.ts')
      await kickClient(id, flags, context)
    })
}

function addRooms(program: Command, context: Context): void {
  const rooms = program
    .command('rooms')
    .description('The rooms of a server, by its HTTP API.')
    .addHelpText('after', examples('ackd rooms ls', 'ackd rooms info lobby'))
  listing(rooms.command('ls'), context)
    .description('All of them, private ones too.')
    .addHelpText('after', examples('ackd rooms ls', 'ackd rooms ls --json | jq .room'))
    .action(async (flags: ListFlags) => {
      const { listRooms } = await import('./operate.ts')
      await listRooms(flags, context)
    })
  asking(rooms.command('info'), context)
    .description('What is known of one.')
    .addHelpText('after', examples('ackd rooms info lobby', 'ackd rooms info lobby --json'))
    .argument('<room>', 'its name; the # may be left out')
    .action(async (room: string, flags: AdminFlags) => {
      const { showRoom } = await import('./operate.ts')
      await showRoom(room, flags, context)
    })
  listing(rooms.command('members'), context)
    .description('Who is in one, by id, and at which node.')
    .addHelpText('after', examples('ackd rooms members lobby', 'ackd rooms members lobby --json | jq .id'))
    .argument('<room>', 'its name; the # may be left out')
    .action(async (room: string, flags: ListFlags) => {
      const { listMembers } = await import('./operate.ts')
      await listMembers(room, flags, context)
    })
}

function addNodes(program: Command, context: Context): void {
  asking(program.command('nodes'), context)
    .description('The nodes of a server that share a Redis, each as it says of itself, by the HTTP API.')
    .addHelpText('after', examples('ackd nodes', 'ackd nodes --json'))
    .action(async (flags: AdminFlags) => {
      const { listNodes } = await import('./operate.ts')
      await listNodes(flags, context)
    })
}

/** What may become of an account by a word. */
const words: readonly (readonly [ChangeName, help: string])[] = [
  ['promote', 'Make it the account of an admin, from its next token on.'],
  ['demote', 'Make it an ordinary one again, and revoke its tokens.'],
  ['disable', 'Let nobody log in with it any more, and revoke its tokens. Its name stays taken.'],
  ['enable', 'Let it be logged in with again.'],
]

function addUsers(program: Command, context: Context): void {
  const user = program
    .command('user')
    .description('Accounts of a server that has some (ACKD_ACCOUNTS=on), by its HTTP API.')
    .addHelpText('after', examples('ackd user ls', 'ackd user add alice'))
  listing(user.command('ls'), context)
    .description('The accounts, by name.')
    .addHelpText('after', examples('ackd user ls', 'ackd user ls --json | jq .id'))
    .action(async (flags: ListFlags) => {
      const { listUsers } = await import('./account.ts')
      await listUsers(flags, context)
    })
  asking(user.command('add'), context)
    .description('Make an account. The password is typed, or is the first line of stdin.')
    .argument('<name>', 'its name, which is its client id')
    .option('--admin', 'one of an admin, who may do in every room what its owner may')
    .addHelpText('after', examples('ackd user add alice', 'ackd user add root --admin < password.txt'))
    .action(async (name: string, flags: AddFlags) => {
      const { addUser } = await import('./account.ts')
      await addUser(name, flags, context)
    })
  asking(user.command('passwd'), context)
    .description('Give an account another password, and revoke its tokens.')
    .addHelpText('after', examples('ackd user passwd alice', 'ackd user passwd alice < password.txt'))
    .argument('<name>', 'its name')
    .action(async (name: string, flags: AdminFlags) => {
      const { setPassword } = await import('./account.ts')
      await setPassword(name, flags, context)
    })
  for (const [word, help] of words) {
    asking(user.command(word), context)
      .description(help)
      .addHelpText('after', examples(`ackd user ${word} alice`))
      .argument('<name>', 'its name')
      .action(async (name: string, flags: AdminFlags) => {
        const { changeUser } = await import('./account.ts')
        await changeUser(name, word, flags, context)
      })
  }
  asking(user.command('rm'), context)
    .description('Remove an account and revoke its tokens. Its name is free then; disable it to keep the name.')
    .addHelpText('after', examples('ackd user rm alice'))
    .argument('<name>', 'its name')
    .action(async (name: string, flags: AdminFlags) => {
      const { removeUser } = await import('./account.ts')
      await removeUser(name, flags, context)
    })
}

function addTokens(program: Command, context: Context): void {
  const token = program
    .command('token')
    .description('Tokens, made and checked with the secret of a server (ACKD_JWT_SECRET).')
    .addHelpText('after', examples('ackd token create alice', 'ackd token create alice --life 5m --json'))
  signing(token.command('create'))
    .description('Make a token for a client id.')
    .argument('<id>', 'whose token it is: the sub')
    .addOption(quantityFlag('--life <duration>', 'how long it is good; without it as the server has it', aDuration))
    .option('--name <name>', 'what others see')
    .option('--admin', 'may do with every room what its owner may')
    .option('--target <pattern...>', 'whom it may send to; a * at the end stands for anything')
    .option('--room <pattern...>', 'which rooms it may enter')
    .option('--json', 'a JSON object with the time when it expires')
    .addHelpText(
      'after',
      examples('ackd token create alice', "ackd token create alice --life 5m --target 'team-*' --room '#news'"),
    )
    .action(async (id: string, flags: CreateTokenFlags) => {
      const { createToken } = await import('./token.ts')
      await createToken(id, flags, context)
    })
  signing(token.command('verify'))
    .description('Check a token and print what it says, as JSON.')
    .addHelpText('after', examples('ackd token verify "$(ackd token create alice)"'))
    .argument('<token>', 'as it was given')
    .action(async (given: string, flags: TokenFlags) => {
      const { verifyToken } = await import('./token.ts')
      await verifyToken(given, flags, context)
    })
}

function signing(command: Command): Command {
  return command
    .option('--jwt-secret <secret>', 'the secret, or file: and a file; better in the environment (ACKD_JWT_SECRET)')
    .option('--jwt-issuer <iss>', 'the issuer (ACKD_JWT_ISSUER)')
    .option('--jwt-audience <aud>', 'the audience (ACKD_JWT_AUDIENCE)')
}
