export class Session {
  readonly id: string = ''
}
