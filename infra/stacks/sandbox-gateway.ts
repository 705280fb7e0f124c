import { Annotations, CfnOutput, Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib'
import { AttributeType, Billing, TableV2 } from 'aws-cdk-lib/aws-dynamodb'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import { Construct } from 'constructs'
import { HandlerFunction } from '../constructs/handler-function.ts'

/** A payment gateway that moves no money: a function without a URL, for whoever is permitted to invoke it, and its memory. */
export class SandboxGateway extends Construct {
  /** What a function that pays here is told, and what it must be permitted. */
  readonly environment: Record<string, string>
  readonly permission: PolicyStatement

  constructor(scope: Construct, id: string) {
    super(scope, id)
    // So that whoever forgets to say where the real gateway is sees it at each synthesis and deployment.
    Annotations.of(this).addInfo(
      'Charges go to the sandbox, which moves no money; the context gatewayUrl names a real one',
    )

    const table = new TableV2(this, 'Table', {
      partitionKey: { name: 'customer', type: AttributeType.STRING },
      sortKey: { name: 'key', type: AttributeType.STRING },
      billing: Billing.onDemand(),
      removalPolicy: RemovalPolicy.DESTROY,
    })
    Validations.of(table).acknowledge({
      id: 'AwsSolutions-DDB3',
      reason: 'These are payments that never were; there is nothing in this table to be restored',
    })

    const gateway = new HandlerFunction(this, 'Function', {
      entry: 'functions/sandbox/handler.ts',
      description: 'A payment gateway that moves no money',
      // Some cards are answered after 8 seconds, which is later than anybody waits.
      timeout: Duration.seconds(20),
      memorySize: 256,
      environment: { SANDBOX_TABLE: table.tableName },
    })
    const ofCustomers = ['dynamodb:UpdateItem', 'dynamodb:Query']
    gateway.addToRolePolicy(new PolicyStatement({ actions: ofCustomers, resources: [table.tableArn] }))

    this.environment = { GATEWAY_FUNCTION: gateway.functionName }
    this.permission = new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [gateway.functionArn] })
    new CfnOutput(Stack.of(this), 'SandboxFunctionName', { value: gateway.functionName })
  }
}
