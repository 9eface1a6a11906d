"""What the checks stand on: settings, the model of a Harbor, clients, providers, disruptions, evidence."""
