import { CfnOutput, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import { Secret } from 'aws-cdk-lib/aws-secretsmanager'
import { Construct } from 'constructs'
import { GATEWAY_URL_FORM, isGatewayUrl, shownUrl } from '../../functions/billing/environment.ts'
import { ConfigurationError } from '../constructs/index.ts'

export interface RealGatewayProps {
  /** Such as https://api.stripe.com. */
  readonly url: string
}

/**
 * A payment gateway that moves money, somewhere else. What is here of it is the secret with its API key: created with a
 * placeholder, which billing does not take for a key. Somebody puts the key there once, and no deployment touches it.
 */
export class RealGateway extends Construct {
  /** What a function that pays there is told, and what it must be permitted. */
  readonly environment: Record<string, string>
  readonly permission: PolicyStatement

  /** @throws ConfigurationError */
  constructor(scope: Construct, id: string, { url }: RealGatewayProps) {
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
        'The key is issued and rotated at the gateway and then put here; billing reads it anew when it is refused',
    })

    this.environment = { GATEWAY_URL: url, GATEWAY_SECRET: apiKey.secretArn }
    this.permission = new PolicyStatement({
      actions: ['secretsmanager:GetSecretValue'],
      resources: [apiKey.secretArn],
    })
    new CfnOutput(Stack.of(this), 'GatewaySecretName', { value: apiKey.secretName })
  }
}
