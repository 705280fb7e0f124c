"""
Starts MiniStack, an AWS emulator, and adds what Tenure needs and MiniStack 1.5.33 lacks:

- A clock for schedules, which stands still until a test advances it, minute by minute, so that a day of hourly ticks
  takes seconds. Everything else, such as DynamoDB and the functions, uses the real clock.
- Scheduler replaces context attributes, such as the scheduled time, in a target's input.
  https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
- Scheduler invokes functions asynchronously: Lambda retries the event with the same request id, and finally sends it to
  the failure destination. The first retry waits LAMBDA_ASYNC_RETRY_BASE_SECONDS; on AWS a minute.
  https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
- With AUTH=true, the condition keys dynamodb:LeadingKeys and dynamodb:Attributes for requests of one item and for
  queries. Transactions and batches lack these keys, so policies that require them deny such requests.
  https://docs.aws.amazon.com/IAM/latest/UserGuide/list_amazondynamodb.html

It ends, with everything it started, when its standard input ends.

    POST /_tenure/clock?minutes=60   advances the clock; answers {"now": seconds since 1970}
    GET  /_tenure/invocations        the processes that handle an event: [{"function": name, "pid": number}]
"""

import contextvars
import json
import os
import re
import signal
import sys
import threading
import time
import types
from datetime import datetime, timezone
from urllib.parse import parse_qs

from ministack import app as gateway
from ministack.core import iam_actions, lambda_runtime
from ministack.services import dynamodb, eventbridge, lambda_svc, scheduler


class Clock:
    now = datetime.fromisoformat(os.environ["TENURE_CLOCK_START"].replace("Z", "+00:00")).timestamp()

    @classmethod
    def advance(cls, minutes):
        for _ in range(minutes):  # the shortest rate is a minute, so each schedule fires exactly when it is due
            cls.now += 60
            scheduler._tick_schedules()


scheduler.time = types.SimpleNamespace(time=lambda: Clock.now, sleep=time.sleep)
scheduler.start_scheduler = lambda: None

request_id_of_event = contextvars.ContextVar("request_id_of_event", default=None)
new_uuid = lambda_svc.new_uuid
lambda_svc.new_uuid = lambda: request_id_of_event.get() or new_uuid()
invoke_target = eventbridge._invoke_target


def invoke_scheduled_target(target, event, rule, view=None):
    if event.get("Source") != "aws.scheduler":
        return invoke_target(target, event, rule, view)
    attributes = {
        "schedule-arn": rule["Arn"],
        "scheduled-time": datetime.fromtimestamp(Clock.now, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "execution-id": event["EventId"],
        "attempt-number": "1",
    }
    payload = target.get("Input", "{}")
    for name, value in attributes.items():
        payload = payload.replace(f"<aws.scheduler.{name}>", value)
    function, _config, name = lambda_svc._get_func_record_for_ref(target["Arn"])
    if function is None:
        raise LookupError(f"the schedule {rule['Name']} fires {name}, which does not exist")
    token = request_id_of_event.set(event["EventId"])
    lambda_svc.invoke_async_with_retry(function, json.loads(payload))
    request_id_of_event.reset(token)


eventbridge._invoke_target = invoke_scheduled_target

service_context = iam_actions.dynamodb_service_context
NOT_ATTRIBUTES = {"set", "remove", "add", "delete", "and", "or", "not", "between", "in"}


def dynamodb_service_context(body):
    request = json.loads(body or b"{}")
    context = service_context(body)
    table = dynamodb._tables.get(request.get("TableName", "").rsplit("/", 1)[-1]) or {}
    keys = {key["AttributeName"] for key in table.get("KeySchema", []) if key["KeyType"] == "HASH"}
    names = request.get("ExpressionAttributeNames") or {}
    item = request.get("Key") or request.get("Item") or {}
    leading = [value for key in keys & set(item) for value in item[key].values()]
    attributes = set(item)
    for kind in ("Update", "Condition", "Projection", "KeyCondition", "Filter"):
        expression = request.get(f"{kind}Expression") or ""
        # Skips placeholders for values, functions, and paths inside an attribute.
        for word in re.findall(r"(?<![:\w.#])#?[A-Za-z_]\w*\b(?!\s*\()", expression):
            if word.lower() not in NOT_ATTRIBUTES:
                attributes.add(names.get(word, word))
        if kind == "KeyCondition":
            for word, value in re.findall(r"(#?\w+)\s*=\s*(:\w+)", expression):
                if names.get(word, word) in keys:
                    leading += request["ExpressionAttributeValues"][value].values()
    if leading:
        context["dynamodb:LeadingKeys"] = leading
    if attributes:
        context["dynamodb:Attributes"] = sorted(attributes)
    return context


iam_actions.dynamodb_service_context = dynamodb_service_context


# Requests over loopback have no TLS, which some policies require, such as that of the CDK's bucket.
pin_request_origin = gateway.pin_request_origin
gateway.pin_request_origin = lambda address, secure: pin_request_origin(address, True)


def answer(method, path, query):
    if (method, path) == ("POST", "/_tenure/clock"):
        Clock.advance(int(parse_qs(query)["minutes"][0]))
        return {"now": Clock.now}
    if (method, path) == ("GET", "/_tenure/invocations"):
        with lambda_runtime._lock:
            workers = [worker for pool in lambda_runtime._workers.values() for worker in pool]
        return [{"function": each.func_name, "pid": each._proc.pid} for each in workers if each.in_use and each._proc]
    return None


ministack = gateway.app


async def app(scope, receive, send):
    if scope["type"] != "http" or not scope["path"].startswith("/_tenure/"):
        return await ministack(scope, receive, send)
    answered = answer(scope["method"], scope["path"], scope["query_string"].decode())
    await send({"type": "http.response.start", "status": 404 if answered is None else 200, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps(answered).encode()})


gateway.app = app


def end_with_standard_input():
    sys.stdin.buffer.read()
    os.killpg(0, signal.SIGKILL)


threading.Thread(target=end_with_standard_input, daemon=True).start()
gateway.main()
