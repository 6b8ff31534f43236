/** Every frame as a call, as MessagePack and as JSON: what independent clients will send and expect, byte for byte. */
import type { ClientFrames, ServerFrames, WelcomeOptions } from '../../src/protocol/frames.ts'
import { binaryBody } from './recorder.ts'

export interface Golden<F> {
  readonly name: string
  readonly say: (frames: F) => void
  readonly binary: string
  readonly text: string
}

/** The body `{"a":[1,"é"]}`. */
const body = binaryBody('81 a161 92 01 a2c3a9')
const BODY = '81 a161 92 01 a2c3a9'
const JSON_BODY = '{"a":[1,"é"]}'

export const clientFrames: readonly Golden<ClientFrames>[] = [
  {
    name: 'hello, the shortest',
    say: frames => frames.hello({ v: 1 }),
    binary: '92 a568656c6c6f 81 a176 01',
    text: '["hello",{"v":1}]',
  },
  {
    name: 'hello with everything',
    say: frames =>
      frames.hello({
        ...{ v: 1, id: 'i', secret: 's', token: 't', name: 'n', outbox: 'o', attempt: 2, window: 300, agent: 'a' },
      }),
    binary: `92 a568656c6c6f 89 a176 01 a26964 a169 a6736563726574 a173 a5746f6b656e a174 a46e616d65 a16e
      a66f7574626f78 a16f a7617474656d7074 02 a677696e646f77 cd012c a56167656e74 a161`,
    text: '["hello",{"v":1,"id":"i","secret":"s","token":"t","name":"n","outbox":"o","attempt":2,"window":300,"agent":"a"}]',
  },
  {
    name: 'send',
    say: frames => frames.send(300, 299, 'bob', 0, body),
    binary: `96 a473656e64 cd012c cd012b a3626f62 c0 ${BODY}`,
    text: `["send",300,299,"bob",null,${JSON_BODY}]`,
  },
  {
    name: 'send, not numbered, with a life',
    say: frames => frames.send(0, 0, 'bob', 60, body),
    binary: `96 a473656e64 c0 c0 a3626f62 81 a374746c 3c ${BODY}`,
    text: `["send",null,null,"bob",{"ttl":60},${JSON_BODY}]`,
  },
  { name: 'ack', say: frames => frames.ack(70_000), binary: '92 a361636b ce00011170', text: '["ack",70000]' },
  {
    name: 'nack',
    say: frames => frames.nack(7, 'no'),
    binary: '93 a46e61636b 07 a26e6f',
    text: '["nack",7,"no"]',
  },
  {
    name: 'sync',
    say: frames => frames.sync('r', 'bob'),
    binary: '93 a473796e63 a172 a3626f62',
    text: '["sync","r","bob"]',
  },
  {
    name: 'signal',
    say: frames => frames.signal('bob', body),
    binary: `93 a67369676e616c a3626f62 ${BODY}`,
    text: `["signal","bob",${JSON_BODY}]`,
  },
  {
    name: 'presence',
    say: frames => frames.presence(-1, ['a', 'b']),
    binary: '93 a870726573656e6365 ff 92 a161 a162',
    text: '["presence",-1,["a","b"]]',
  },
  { name: 'rotate', say: frames => frames.rotate(9), binary: '92 a6726f74617465 09', text: '["rotate",9]' },
  {
    name: 'join',
    say: frames => frames.join(1, '#r', { since: 300, epoch: 'e', password: 'p' }),
    binary: '94 a46a6f696e 01 a22372 83 a573696e6365 cd012c a565706f6368 a165 a870617373776f7264 a170',
    text: '["join",1,"#r",{"since":300,"epoch":"e","password":"p"}]',
  },
  {
    name: 'leave',
    say: frames => frames.leave('r', '#r'),
    binary: '93 a56c65617665 a172 a22372',
    text: '["leave","r","#r"]',
  },
  {
    name: 'create',
    say: frames => frames.create(2, '#r', { private: true, password: 'p', history: 100 }),
    binary: '94 a6637265617465 02 a22372 83 a770726976617465 c3 a870617373776f7264 a170 a7686973746f7279 64',
    text: '["create",2,"#r",{"private":true,"password":"p","history":100}]',
  },
  {
    name: 'delete',
    say: frames => frames.delete(3, '#r'),
    binary: '93 a664656c657465 03 a22372',
    text: '["delete",3,"#r"]',
  },
  {
    name: 'rooms',
    say: frames => frames.rooms(4, { limit: 50, after: '#a' }),
    binary: '93 a5726f6f6d73 04 82 a56c696d6974 32 a56166746572 a22361',
    text: '["rooms",4,{"limit":50,"after":"#a"}]',
  },
  {
    name: 'members',
    say: frames => frames.members(5, '#r', {}),
    binary: '94 a76d656d62657273 05 a22372 80',
    text: '["members",5,"#r",{}]',
  },
  {
    name: 'history',
    say: frames => frames.history(6, '#r', { before: 9, after: 0, limit: 200, from: 'ann' }),
    binary: '94 a7686973746f7279 06 a22372 84 a66265666f7265 09 a56166746572 00 a56c696d6974 ccc8 a466726f6d a3616e6e',
    text: '["history",6,"#r",{"before":9,"after":0,"limit":200,"from":"ann"}]',
  },
  {
    name: 'token',
    say: frames => frames.token(7, 't'),
    binary: '93 a5746f6b656e 07 a174',
    text: '["token",7,"t"]',
  },
  { name: 'ping', say: frames => frames.ping(), binary: '91 a470696e67', text: '["ping"]' },
  { name: 'pong', say: frames => frames.pong(), binary: '91 a4706f6e67', text: '["pong"]' },
  { name: 'bye', say: frames => frames.bye(), binary: '91 a3627965', text: '["bye"]' },
]

const welcome: WelcomeOptions = {
  ...{ v: 1, id: 'i', secret: 's', resumed: false, expires: 1_700_000_000_000, parked: 3, outbox: 'o', window: 256 },
  ...{ sendWindow: { messages: 64, bytes: 262_144 }, maxPacket: 1_048_576, pingInterval: 15_000, ackTimeout: 30_000 },
  ...{ time: 1_700_000_000_001, node: 'n' },
}

export const serverFrames: readonly Golden<ServerFrames>[] = [
  {
    name: 'welcome',
    say: frames => frames.welcome(welcome),
    binary: `92 a777656c636f6d65 8e a176 01 a26964 a169 a6736563726574 a173 a7726573756d6564 c2
      a765787069726573 cf0000018bcfe56800 a67061726b6564 03 a66f7574626f78 a16f a677696e646f77 cd0100
      aa73656e6457696e646f77 82 a86d65737361676573 40 a56279746573 ce00040000 a96d61785061636b6574 ce00100000
      ac70696e67496e74657276616c cd3a98 aa61636b54696d656f7574 cd7530 a474696d65 cf0000018bcfe56801 a46e6f6465 a16e`,
    text:
      '["welcome",{"v":1,"id":"i","secret":"s","resumed":false,"expires":1700000000000,"parked":3,"outbox":"o","window":256,' +
      '"sendWindow":{"messages":64,"bytes":262144},"maxPacket":1048576,"pingInterval":15000,"ackTimeout":30000,' +
      '"time":1700000000001,"node":"n"}]',
  },
  {
    name: 'message',
    say: frames => frames.message(5, 'ann', 'outbox01', 300, 1_700_000_000_000, 3, body),
    binary: `98 a76d657373616765 05 a3616e6e a86f7574626f783031 cd012c cf0000018bcfe56800 03 ${BODY}`,
    text: `["message",5,"ann","outbox01",300,1700000000000,3,${JSON_BODY}]`,
  },
  {
    name: 'void',
    say: frames => frames.void(6, 'ann', 'outbox01', 301, 'expired'),
    binary: '96 a4766f6964 06 a3616e6e a86f7574626f783031 cd012d a765787069726564',
    text: '["void",6,"ann","outbox01",301,"expired"]',
  },
  {
    name: 'receipt delivered',
    say: frames => frames.delivered('bob', 300),
    binary: '94 a772656365697074 a964656c697665726564 a3626f62 cd012c',
    text: '["receipt","delivered","bob",300]',
  },
  {
    name: 'receipt stored',
    say: frames => frames.stored('bob', 1),
    binary: '94 a772656365697074 a673746f726564 a3626f62 01',
    text: '["receipt","stored","bob",1]',
  },
  {
    name: 'receipt rejected',
    say: frames => frames.ended('rejected', 'bob', 2, 'no'),
    binary: '95 a772656365697074 a872656a6563746564 a3626f62 02 a26e6f',
    text: '["receipt","rejected","bob",2,"no"]',
  },
  {
    name: 'receipt failed',
    say: frames => frames.failed('bob', 2, 'forbidden'),
    binary: '95 a772656365697074 a66661696c6564 a3626f62 02 a9666f7262696464656e',
    text: '["receipt","failed","bob",2,"forbidden"]',
  },
  {
    name: 'receipt retry',
    say: frames => frames.retry('bob', 2, 'gap', 1500),
    binary: '96 a772656365697074 a57265747279 a3626f62 02 a3676170 cd05dc',
    text: '["receipt","retry","bob",2,"gap",1500]',
  },
  {
    name: 'room',
    say: frames => frames.room('#r', 300, 'ann', 'outbox01', 2, 1_700_000_000_000, body),
    binary: `98 a4726f6f6d a22372 cd012c a3616e6e a86f7574626f783031 02 cf0000018bcfe56800 ${BODY}`,
    text: `["room","#r",300,"ann","outbox01",2,1700000000000,${JSON_BODY}]`,
  },
  {
    name: 'members',
    say: frames => frames.members('#r', 'join', 'ann', 'Ann'),
    binary: '95 a76d656d62657273 a22372 a46a6f696e a3616e6e a3416e6e',
    text: '["members","#r","join","ann","Ann"]',
  },
  {
    name: 'signal',
    say: frames => frames.signal('ann', 'bob', body),
    binary: `94 a67369676e616c a3616e6e a3626f62 ${BODY}`,
    text: `["signal","ann","bob",${JSON_BODY}]`,
  },
  {
    name: 'reply',
    say: frames => frames.reply('r', { last: 7, lost: [[3, 'dead']], ok: true, none: null }),
    binary: '93 a57265706c79 a172 84 a46c617374 07 a46c6f7374 91 92 03 a464656164 a26f6b c3 a46e6f6e65 c0',
    text: '["reply","r",{"last":7,"lost":[[3,"dead"]],"ok":true,"none":null}]',
  },
  {
    name: 'error',
    say: frames => frames.error(null, 'bad_id', 'Hm “no”.'),
    binary: '94 a56572726f72 c0 a66261645f6964 ac486d20e2809c6e6fe2809d2e',
    text: '["error",null,"bad_id","Hm “no”."]',
  },
  {
    name: 'close',
    say: frames => frames.close('restart', 'Later.', 250),
    binary: '94 a5636c6f7365 a772657374617274 a64c617465722e ccfa',
    text: '["close","restart","Later.",250]',
  },
  { name: 'ping', say: frames => frames.ping(), binary: '91 a470696e67', text: '["ping"]' },
  { name: 'pong', say: frames => frames.pong(), binary: '91 a4706f6e67', text: '["pong"]' },
]
