/** The payment gateway of the billing stack: the sandbox, or a real one. */
// @ts-nocheck

import { Annotations, CfnOutput, Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib'
import { AttributeType, Billing, TableV2 } from 'aws-cdk-lib/aws-dynamodb'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import { Secret } from 'aws-cdk-lib/aws-secretsmanager'
import { Construct } from 'constructs'
import { GATEWAY_URL_FORM, isGatewayUrl, shownUrl } from '../../functions/billing/environment.ts'
import { ConfigurationError, HandlerFunction } from '../constructs/index.ts'

/** A fake payment gateway that moves no money: a function, reachable only by IAM permission, and its table. */
export class SandboxGateway extends Construct {
  /** The environment variables, and the permission, of a function that charges at this gateway. */
  readonly environment: Record<string, string>
  readonly permission: PolicyStatement

  constructor(scope: Construct, id: string) {
    super(scope, id)
    // Shown at each synthesis and deployment, in case the operator forgot the real gateway.
    Annotations.of(this).addInfo(
      'Charges go to the sandbox, which moves no money; set the context value gatewayUrl to use a real gateway',
    )

    const table = new TableV2(this, 'Table', {
      partitionKey: { name: 'customer', type: AttributeType.STRING },
      sortKey: { name: 'key', type: AttributeType.STRING },
      billing: Billing.onDemand(),
      removalPolicy: RemovalPolicy.DESTROY,
    })
    Validations.of(table).acknowledge({
      id: 'AwsSolutions-DDB3',
      reason: 'The table contains fake payments, which need no backup',
    })

    const gateway = new HandlerFunction(this, 'Function', {
      entry: 'functions/sandbox/handler.ts',
      description: 'A fake payment gateway that moves no money',
      // Charges of some test cards are answered after 8 seconds, longer than billing waits.
      timeout: Duration.seconds(20),
      memorySize: 256,
      environment: { SANDBOX_TABLE: table.tableName },
    })
    const actions = ['dynamodb:PutItem', 'dynamodb:Query']
    gateway.addToRolePolicy(new PolicyStatement({ actions, resources: [table.tableArn] }))

    this.environment = { GATEWAY_FUNCTION: gateway.functionName }
    this.permission = new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [gateway.functionArn] })
    new CfnOutput(Stack.of(this), 'SandboxFunctionName', { value: gateway.functionName })
  }
}

/**
 * An external payment gateway that moves money. The stack has the secret for its API key. The secret is created with a
 * placeholder, which billing does not use as a key; the operator puts the key there, and no deployment changes it.
 */
export class RealGateway extends Construct {
  /** The environment variables, and the permission, of a function that charges at this gateway. */
  readonly environment: Record<string, string>
  readonly permission: PolicyStatement

  /** @throws ConfigurationError if `url` is not {@link GATEWAY_URL_FORM} */
  constructor(scope: Construct, id: string, { url }: { readonly url: string }) {
    super(scope, id)
    if (!isGatewayUrl(url)) {
      throw new ConfigurationError(this, [`the gateway's URL is ${shownUrl(url)}; give ${GATEWAY_URL_FORM}`])
    }

    const apiKey = new Secret(this, 'ApiKey', {
      description: "The payment gateway's API key, as plain text",
      generateSecretString: {
        secretStringTemplate: JSON.stringify({ replaceAllOfThisBy: "the payment gateway's API key, as plain text" }),
        generateStringKey: 'placeholder',
      },
      removalPolicy: RemovalPolicy.RETAIN,
    })
    Validations.of(apiKey).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason:
        'The gateway issues and rotates the key; the operator puts it here, and billing reads it again when refused',
    })

    this.environment = { GATEWAY_URL: url, GATEWAY_SECRET: apiKey.secretArn }
    const actions = ['secretsmanager:GetSecretValue']
    this.permission = new PolicyStatement({ actions, resources: [apiKey.secretArn] })
    new CfnOutput(Stack.of(this), 'GatewaySecretName', { value: apiKey.secretName })
  }
}
