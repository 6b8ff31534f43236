/** What the simulated worlds are like: how many nodes and clients, what they write, and which faults there are. */
export interface Scenario {
  readonly nodes: number
  readonly clients: number
  /** To how many others each client writes. */
  readonly targets: number
  readonly messages: number
  /** ms of faults before everything is healed, and the longest that recovery may take after it. */
  readonly faultyMs: number
  readonly quietMs: number
  /** Whether the store may lose its last writes, as a failover does. */
  readonly failover: boolean
  readonly ackTimeoutMs: number
  readonly window: number
  readonly sendWindow: number
  /** ms between looks into mailboxes that other nodes may fill; 0 where one node owns the store. */
  readonly pollMs: number
  /** Ends of streams that a node remembers. */
  readonly rememberedStreams: number
  /** The share of messages with a short life. */
  readonly mortal: number
  readonly mailboxMessages: number
  /** Sessions that may fail at the head of a mailbox. */
  readonly headAttempts: number
  /** How messages may end that do not arrive: words and codes of receipts. */
  readonly ends: readonly string[]
  /** Whether everybody is in a room, too, and writes to it. */
  readonly room: boolean
  /** Messages in a page of its log, at most. */
  readonly roomPage: number
  /** Whether nothing that nodes and the store are told gets lost, and no process dies: then no sender has to ask what became of its messages. */
  readonly fair: boolean
  /** Whether somebody leaves for good in the end. */
  readonly retires: boolean
  /** Whether the room is deleted at some time, and another one of that name made: one that nobody may enter, or one that everybody may. */
  readonly remade: 'closed' | 'open' | false
  /** Bytes that a node may hold, and those of the windows. */
  readonly heldBytes: number
  readonly windowBytes: number
  readonly sendWindowBytes: number
  /** Of one sender in a minute. */
  readonly newRecipients: number
  /** Whether clocks are set anew, several nodes are killed at the same moment, and clients say goodbye and come back with other windows. */
  readonly rough: boolean
  /** Whether clients take their leave, do not read for a while, are sent away by an operator or by a token that ends, and may for a while write to fewer. */
  readonly lively: boolean
  /** Outboxes of each client. */
  readonly outboxes: number
  /** Clients besides, which number nothing. */
  readonly speakers: number
}

export const defaultScenario: Scenario = {
  nodes: 3,
  clients: 4,
  targets: 2,
  messages: 10,
  faultyMs: 16_000,
  quietMs: 90_000,
  failover: true,
  ackTimeoutMs: 3_000,
  window: 4,
  sendWindow: 6,
  pollMs: 1_000,
  rememberedStreams: 1_000,
  mortal: 0,
  mailboxMessages: 10_000,
  headAttempts: 100,
  ends: ['rejected'],
  room: false,
  roomPage: 100,
  fair: false,
  retires: false,
  remade: false,
  heldBytes: 1024 * 1024,
  windowBytes: 1024 * 1024,
  sendWindowBytes: 256 * 1024,
  newRecipients: 200,
  rough: false,
  lively: false,
  outboxes: 1,
  speakers: 0,
}

/** Messages expire, mailboxes are full, and heads at which sessions fail are set aside. */
const mortal: Partial<Scenario> = {
  mortal: 0.3,
  mailboxMessages: 8,
  headAttempts: 2,
  ends: ['rejected', 'expired', 'dead', 'mailbox_full'],
}

/** The worlds of a run, taken in turn by seed. */
export const scenarios: readonly Scenario[] = [
  defaultScenario,
  { ...defaultScenario, window: 1, sendWindow: 2, messages: 8 },
  { ...defaultScenario, nodes: 1, failover: false, pollMs: 0 },
  { ...defaultScenario, nodes: 2, clients: 3, messages: 16, window: 16, sendWindow: 16 },
  { ...defaultScenario, ...mortal, failover: false },
  { ...defaultScenario, ...mortal, nodes: 1, failover: false, pollMs: 0 },
]

/** The same worlds on nodes that remember next to nothing of a stream that is idle. */
export const forgetfulScenarios: readonly Scenario[] = scenarios.map(scenario => ({
  ...scenario,
  rememberedStreams: 2,
}))

/** Little of everything: nodes that hold a few messages, windows of a few bytes, and senders that may write to one more each minute. */
const narrow: Partial<Scenario> = {
  heldBytes: 4_000,
  windowBytes: 20,
  sendWindowBytes: 30,
  newRecipients: 1,
  rough: true,
}

/** Worlds in which limits are reached all the time, and in which clocks jump. */
export const roughScenarios: readonly Scenario[] = [
  { ...defaultScenario, ...narrow },
  { ...defaultScenario, ...narrow, newRecipients: 200, window: 16, sendWindow: 16, messages: 16 },
  { ...defaultScenario, ...narrow, nodes: 1, failover: false, pollMs: 0 },
  { ...defaultScenario, rough: true, rememberedStreams: 2 },
  { ...defaultScenario, ...narrow, mailboxMessages: 3, ends: ['rejected', 'mailbox_full'], failover: false },
  {
    ...defaultScenario,
    rough: true,
    room: true,
    targets: 0,
    roomPage: 3,
    heldBytes: 4_000,
    retires: true,
  },
]

/** Worlds in which everybody comes and goes, and is told what became of everything without asking while connected. */
export const fairScenarios: readonly Scenario[] = [
  { ...defaultScenario, fair: true, failover: false },
  { ...defaultScenario, fair: true, failover: false, nodes: 2, clients: 3, messages: 16, window: 16, sendWindow: 16 },
  { ...defaultScenario, fair: true, ...mortal, failover: false },
  { ...defaultScenario, fair: true, failover: false, rememberedStreams: 2 },
]

/** Worlds with a room. */
export const roomScenarios: readonly Scenario[] = [
  { ...defaultScenario, room: true, targets: 1, messages: 8, roomPage: 3 },
  { ...defaultScenario, room: true, targets: 0, messages: 12, sendWindow: 2, failover: false, retires: true },
  { ...defaultScenario, room: true, targets: 0, nodes: 1, failover: false, pollMs: 0 },
  {
    ...defaultScenario,
    room: true,
    targets: 0,
    nodes: 2,
    clients: 5,
    messages: 24,
    sendWindow: 16,
    roomPage: 2,
    retires: true,
  },
]

/** Worlds whose room is deleted, and made anew: for others, or for everybody who was in the one before. */
export const remadeScenarios: readonly Scenario[] = [
  {
    ...defaultScenario,
    room: true,
    targets: 0,
    messages: 24,
    sendWindow: 16,
    failover: false,
    pollMs: 3_000,
    ends: ['not_joined', 'no_such_room', 'forbidden'],
    remade: 'closed',
  },
  {
    ...defaultScenario,
    room: true,
    targets: 0,
    messages: 24,
    sendWindow: 16,
    failover: false,
    pollMs: 3_000,
    ends: ['not_joined', 'no_such_room'],
    remade: 'open',
  },
]

/** Worlds in which everybody writes to everybody, and far more at once than a connection may have open. */
export const crowdedScenarios: readonly Scenario[] = [
  { ...defaultScenario, nodes: 2, clients: 14, targets: 13, messages: 12, window: 8, sendWindow: 8 },
]

/** Worlds whose clients come and go as they like, read when they like, and use two outboxes; and whose operators send them away. */
export const livelyScenarios: readonly Scenario[] = [
  { ...defaultScenario, lively: true },
  { ...defaultScenario, lively: true, nodes: 1, failover: false, pollMs: 0 },
  { ...defaultScenario, lively: true, outboxes: 2, messages: 6 },
  { ...defaultScenario, lively: true, outboxes: 2, messages: 6, nodes: 1, failover: false, pollMs: 0 },
  { ...defaultScenario, lively: true, failover: false, window: 16, sendWindow: 16, messages: 16 },
  { ...defaultScenario, lively: true, room: true, targets: 1, messages: 8, roomPage: 3 },
  { ...defaultScenario, lively: true, failover: false, ends: ['rejected', 'forbidden'] },
  { ...defaultScenario, lively: true, room: true, targets: 0, messages: 12, roomPage: 2, failover: false },
]

/** Worlds with clients that number nothing and keep nothing: of a store that loses its last writes they could make nothing good. */
export const speakingScenarios: readonly Scenario[] = [
  { ...defaultScenario, failover: false, clients: 3, speakers: 2 },
  { ...defaultScenario, failover: false, clients: 3, speakers: 2, nodes: 1, pollMs: 0 },
  { ...defaultScenario, failover: false, clients: 3, speakers: 3, targets: 1, window: 2, lively: true },
  {
    ...defaultScenario,
    failover: false,
    clients: 3,
    speakers: 3,
    targets: 1,
    messages: 6,
    mailboxMessages: 3,
    ends: ['rejected', 'mailbox_full'],
  },
]
