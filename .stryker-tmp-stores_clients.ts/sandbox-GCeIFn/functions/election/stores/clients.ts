// @ts-nocheck
function stryNS_9fa48() {
  var g = typeof globalThis === 'object' && globalThis && globalThis.Math === Math && globalThis || new Function("return this")();
  var ns = g.__stryker__ || (g.__stryker__ = {});
  if (ns.activeMutant === undefined && g.process && g.process.env && g.process.env.__STRYKER_ACTIVE_MUTANT__) {
    ns.activeMutant = g.process.env.__STRYKER_ACTIVE_MUTANT__;
  }
  function retrieveNS() {
    return ns;
  }
  stryNS_9fa48 = retrieveNS;
  return retrieveNS();
}
stryNS_9fa48();
function stryCov_9fa48() {
  var ns = stryNS_9fa48();
  var cov = ns.mutantCoverage || (ns.mutantCoverage = {
    static: {},
    perTest: {}
  });
  function cover() {
    var c = cov.static;
    if (ns.currentTestId) {
      c = cov.perTest[ns.currentTestId] = cov.perTest[ns.currentTestId] || {};
    }
    var a = arguments;
    for (var i = 0; i < a.length; i++) {
      c[a[i]] = (c[a[i]] || 0) + 1;
    }
  }
  stryCov_9fa48 = cover;
  cover.apply(null, arguments);
}
function stryMutAct_9fa48(id) {
  var ns = stryNS_9fa48();
  function isActive(id) {
    if (ns.activeMutant === id) {
      if (ns.hitCount !== void 0 && ++ns.hitCount > ns.hitLimit) {
        throw new Error('Stryker: Hit count limit reached (' + ns.hitCount + ')');
      }
      return true;
    }
    return false;
  }
  stryMutAct_9fa48 = isActive;
  return isActive(id);
}
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { DynamoDBDocumentClient, TranslateConfig } from '@aws-sdk/lib-dynamodb';
import { Turns } from '../turns.ts';
import { connectionsThrough } from './connections.ts';
import type { Lent } from './sdk-client.ts';

/** Sends commands of `client-dynamodb` and of `lib-dynamodb`. */
export type Path = Pick<DynamoDBDocumentClient, 'send'>;
export interface Paths {
  /** For requests on lease rows: with its own connections, time-outs and retries, so that no effect delays them. */
  readonly leases: Path;
  /** For the task's writes: sends as the caller's client does. */
  readonly effects: Path;
  readonly unmarshallOptions: TranslateConfig['unmarshallOptions'];
}

/**
 * Two paths through the caller's client, which is not changed. Each has a copy of the configuration, since
 * `DynamoDBDocumentClient.from` writes its options into the configuration of the client that it is given. All paths
 * through one client share connections, retries and turns, so a store costs little.
 */
export function pathsThrough({
  client,
  translateConfig
}: Lent): Paths {
  if (stryMutAct_9fa48("0")) {
    {}
  } else {
    stryCov_9fa48("0");
    const config = stryMutAct_9fa48("1") ? {} : (stryCov_9fa48("1"), {
      ...client.config,
      translateConfig
    });
    const {
      leases,
      effects
    } = connectionsThrough(config.requestHandler);
    const {
      turns,
      withOwnRetries,
      withSerialization
    } = partsFor(client);
    return stryMutAct_9fa48("2") ? {} : (stryCov_9fa48("2"), {
      leases: path(client, stryMutAct_9fa48("3") ? {} : (stryCov_9fa48("3"), {
        ...config,
        requestHandler: leases
      }), stryMutAct_9fa48("4") ? () => undefined : (stryCov_9fa48("4"), lent => withOwnRetries(withSerialization(lent)))),
      effects: inTurns(turns, path(client, stryMutAct_9fa48("5") ? {} : (stryCov_9fa48("5"), {
        ...config,
        requestHandler: effects
      }), withSerialization)),
      unmarshallOptions: translateConfig.unmarshallOptions
    });
  }
}

/**
 * Effects under way through one client, far more than it has connections. The SDK prepares a request synchronously, so
 * 20,000 at once would hold up timers and replies for longer than a short lease.
 */
const EFFECTS_AT_ONCE = 1_000;
type Stack = DynamoDBDocumentClient['middlewareStack'];
interface Command {
  resolveMiddleware(stack: Stack, config: object, options: unknown): unknown;
}

/**
 * Sends through the caller's own `send`, which may be instrumented, bound or a test double. The command uses the path's
 * configuration instead of the one that `send` passes. It uses the layers that `send` passes, or a clone of them: a
 * tracer may have wrapped what `clone` and `concat` return.
 */
function path(client: DynamoDBDocumentClient, config: object, layers: (lent: Stack) => Stack): Path {
  if (stryMutAct_9fa48("6")) {
    {}
  } else {
    stryCov_9fa48("6");
    return stryMutAct_9fa48("7") ? {} : (stryCov_9fa48("7"), {
      // Without options, a client with `cacheMiddleware` would reuse the layers of an earlier command.
      send(command: Command, options: object = {}) {
        if (stryMutAct_9fa48("8")) {
          {}
        } else {
          stryCov_9fa48("8");
          const {
            resolveMiddleware
          }: Command = Object.getPrototypeOf(command);
          command.resolveMiddleware = stryMutAct_9fa48("9") ? () => undefined : (stryCov_9fa48("9"), (lent, _, given) => resolveMiddleware.call(command, layers(lent), config, given));
          return Reflect.apply(client.send, client, stryMutAct_9fa48("10") ? [] : (stryCov_9fa48("10"), [command, options]));
        }
      }
    });
  }
}
function inTurns(turns: Turns, path: Path): Path {
  if (stryMutAct_9fa48("11")) {
    {}
  } else {
    stryCov_9fa48("11");
    return stryMutAct_9fa48("12") ? {} : (stryCov_9fa48("12"), {
      send: stryMutAct_9fa48("13") ? () => undefined : (stryCov_9fa48("13"), (...given: unknown[]) => turns.take(stryMutAct_9fa48("14") ? () => undefined : (stryCov_9fa48("14"), () => Reflect.apply(path.send, path, given))))
    });
  }
}
interface Parts {
  readonly turns: Turns;
  readonly withOwnRetries: (lent: Stack) => Stack;
  readonly withSerialization: (lent: Stack) => Stack;
}
const parts = new WeakMap<DynamoDBDocumentClient, Parts>();
function partsFor(client: DynamoDBDocumentClient): Parts {
  if (stryMutAct_9fa48("15")) {
    {}
  } else {
    stryCov_9fa48("15");
    const known = parts.get(client);
    if (stryMutAct_9fa48("18") ? known === undefined : stryMutAct_9fa48("17") ? false : stryMutAct_9fa48("16") ? true : (stryCov_9fa48("16", "17", "18"), known !== undefined)) return known;
    const {
      maxAttempts
    } = client.config;
    const own = new DynamoDBClient(stryMutAct_9fa48("19") ? {} : (stryCov_9fa48("19"), {
      maxAttempts,
      retryMode: stryMutAct_9fa48("20") ? "" : (stryCov_9fa48("20"), 'standard')
    })).middlewareStack;
    const lent = client.middlewareStack.clone();
    const missing = stryMutAct_9fa48("21") ? SERIALIZATION : (stryCov_9fa48("21"), SERIALIZATION.filter(stryMutAct_9fa48("22") ? () => undefined : (stryCov_9fa48("22"), name => stryMutAct_9fa48("23") ? lent.remove(name) : (stryCov_9fa48("23"), !lent.remove(name)))));
    const made = stryMutAct_9fa48("24") ? {} : (stryCov_9fa48("24"), {
      turns: new Turns(EFFECTS_AT_ONCE),
      withOwnRetries: untilChanged(stryMutAct_9fa48("25") ? () => undefined : (stryCov_9fa48("25"), lent => withLayers(lent, own, stryMutAct_9fa48("26") ? [] : (stryCov_9fa48("26"), [RETRIES]), AROUND_EACH_TRY))),
      withSerialization: stryMutAct_9fa48("27") ? () => undefined : (stryCov_9fa48("27"), (lent: Stack) => (stryMutAct_9fa48("30") ? missing.length !== 0 : stryMutAct_9fa48("29") ? false : stryMutAct_9fa48("28") ? true : (stryCov_9fa48("28", "29", "30"), missing.length === 0)) ? lent : withLayers(lent, own, missing))
    });
    if (stryMutAct_9fa48("31")) {
      ;
    } else {
      stryCov_9fa48("31");
      parts.set(client, made);
    }
    return made;
  }
}

/** In older versions of the SDK the commands serialize; in later ones, their client does. */
const SERIALIZATION = stryMutAct_9fa48("32") ? [] : (stryCov_9fa48("32"), [stryMutAct_9fa48("33") ? "" : (stryCov_9fa48("33"), 'serializerMiddleware'), stryMutAct_9fa48("34") ? "" : (stryCov_9fa48("34"), 'deserializerMiddleware')]);
const RETRIES = stryMutAct_9fa48("35") ? "" : (stryCov_9fa48("35"), 'retryMiddleware');
/** Outside all layers that the caller added around each try. */
const AROUND_EACH_TRY = stryMutAct_9fa48("36") ? {} : (stryCov_9fa48("36"), {
  step: stryMutAct_9fa48("37") ? "" : (stryCov_9fa48("37"), 'build'),
  priority: stryMutAct_9fa48("38") ? "" : (stryCov_9fa48("38"), 'low')
});
interface Place {
  readonly step?: unknown;
  readonly priority?: unknown;
  readonly relation?: unknown;
  readonly toMiddleware?: unknown;
}

/** Clones `lent` again only after its layers were changed, because cloning them takes longer than reading them. */
function untilChanged(clone: (lent: Stack) => Stack): (lent: Stack) => Stack {
  if (stryMutAct_9fa48("39")) {
    {}
  } else {
    stryCov_9fa48("39");
    let known: {
      readonly parts: readonly unknown[];
      readonly made: Stack;
    } | undefined;
    return lent => {
      if (stryMutAct_9fa48("40")) {
        {}
      } else {
        stryCov_9fa48("40");
        const parts: unknown[] = stryMutAct_9fa48("41") ? [] : (stryCov_9fa48("41"), [lent]);
        const add = (layer: unknown, {
          step,
          priority,
          relation,
          toMiddleware
        }: Place = {}) => {
          if (stryMutAct_9fa48("42")) {
            {}
          } else {
            stryCov_9fa48("42");
            if (stryMutAct_9fa48("43")) {
              ;
            } else {
              stryCov_9fa48("43");
              parts.push(layer, step, priority, relation, toMiddleware);
            }
          }
        };
        lent.applyToStack(stryMutAct_9fa48("45") ? {} : (stryCov_9fa48("45"), {
          ...lent,
          add,
          addRelativeTo: add
        }));
        if (stryMutAct_9fa48("48") ? known !== undefined || isEqual(known.parts, parts) : stryMutAct_9fa48("47") ? false : stryMutAct_9fa48("46") ? true : (stryCov_9fa48("46", "47", "48"), (stryMutAct_9fa48("50") ? known === undefined : stryMutAct_9fa48("49") ? true : (stryCov_9fa48("49", "50"), known !== undefined)) && isEqual(known.parts, parts))) return known.made;
        known = stryMutAct_9fa48("51") ? {} : (stryCov_9fa48("51"), {
          parts,
          made: clone(lent)
        });
        return known.made;
      }
    };
  }
}
function isEqual(some: readonly unknown[], others: readonly unknown[]): boolean {
  if (stryMutAct_9fa48("52")) {
    {}
  } else {
    stryCov_9fa48("52");
    return stryMutAct_9fa48("55") ? some.length === others.length || some.every((one, index) => one === others[index]) : stryMutAct_9fa48("54") ? false : stryMutAct_9fa48("53") ? true : (stryCov_9fa48("53", "54", "55"), (stryMutAct_9fa48("57") ? some.length !== others.length : stryMutAct_9fa48("56") ? true : (stryCov_9fa48("56", "57"), some.length === others.length)) && (stryMutAct_9fa48("58") ? some.some((one, index) => one === others[index]) : (stryCov_9fa48("58"), some.every(stryMutAct_9fa48("59") ? () => undefined : (stryCov_9fa48("59"), (one, index) => stryMutAct_9fa48("62") ? one !== others[index] : stryMutAct_9fa48("61") ? false : stryMutAct_9fa48("60") ? true : (stryCov_9fa48("60", "61", "62"), one === others[index]))))));
  }
}

/** A clone of `lent` in which these layers are those of `own`. */
function withLayers(lent: Stack, own: Stack, names: readonly string[], place: object = {}): Stack {
  if (stryMutAct_9fa48("63")) {
    {}
  } else {
    stryCov_9fa48("63");
    const stack = lent.clone();
    const add = (layer: unknown, options: {
      readonly name?: string;
    } = {}) => {
      if (stryMutAct_9fa48("64")) {
        {}
      } else {
        stryCov_9fa48("64");
        const {
          name
        } = options;
        if (stryMutAct_9fa48("67") ? name === undefined && !names.includes(name) : stryMutAct_9fa48("66") ? false : stryMutAct_9fa48("65") ? true : (stryCov_9fa48("65", "66", "67"), (stryMutAct_9fa48("69") ? name !== undefined : stryMutAct_9fa48("68") ? false : (stryCov_9fa48("68", "69"), name === undefined)) || (stryMutAct_9fa48("70") ? names.includes(name) : (stryCov_9fa48("70"), !names.includes(name))))) return;
        if (stryMutAct_9fa48("71")) {
          ;
        } else {
          stryCov_9fa48("71");
          stack.remove(name);
        }
        Reflect.apply(stack.add, stack, stryMutAct_9fa48("73") ? [] : (stryCov_9fa48("73"), [layer, stryMutAct_9fa48("74") ? {} : (stryCov_9fa48("74"), {
          ...options,
          ...place
        })]));
      }
    };
    own.applyToStack(stryMutAct_9fa48("76") ? {} : (stryCov_9fa48("76"), {
      ...own,
      add,
      addRelativeTo: () => {}
    }));
    return stack;
  }
}