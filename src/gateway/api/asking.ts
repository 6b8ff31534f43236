/** Questions to the store on behalf of an HTTP request: they end in time, and what the store cannot do is told as it is. */
import { StoreError } from '../../store/store.ts'
import { ApiError } from './route.ts'

const LIMIT_MS = 5_000

/** What the store answers. Rejects with `ApiError` when it does not, within 5 s. */
export async function asked<Answer>(answer: Promise<Answer>): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const text = `The store did not answer within ${LIMIT_MS / 1_000} s; whether it did what it was asked is not known.`
    timer = setTimeout(() => reject(new ApiError('unavailable', text)), LIMIT_MS)
  })
  try {
    return await Promise.race([answer, late])
  } catch (error) {
    if (error instanceof StoreError) throw new ApiError('unavailable', error.words)
    throw error
  } finally {
    clearTimeout(timer)
  }
}
