/**
 * Bodies made from values and read back, for those who look into them: the client library and the command line.
 */
import type { Body } from './frames.ts'

/**
 * The body of a value: null, boolean, number, bigint, string, Uint8Array, array, plain object, Map with string keys; undefined
 * counts as null. Throws a TypeError, which says where and why, for anything else, for a cycle and for more than 16 levels.
 */
export declare function encodeBody(value: unknown, text: boolean): Body

/** The value of a body: Uint8Array for bytes (a copy), bigint for integers beyond 2^53. Only for a body that a decoder handed on. */
export declare function decodeBody(body: Body): unknown
