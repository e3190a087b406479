SELECT create_source('phones', options => '{"region": "US"}');
SELECT attach('phones', 'calls', '{"call_id": "call_id", "started_at": "started_at", "ended_at": "ended_at", "caller.phone": "from_number",
	"dialled_number": "to_number", "caller.name": "caller_name", "caller.email": "email", "caller.postal_code": "zip", "language": "language",
	"disposition": "outcome", "summary": "summary", "follow_up_task.subject": "follow_up", "follow_up_task.due_at": "follow_up_at",
	"intent": "service", "recording_url": "recording_url", "urgency": "ai_urgency"}');
SELECT create_source('voice_bot', 'generic');
SELECT create_destination('crm', 'hubspot', format('{"base_url": "%s", "allow_addresses": ["127.0.0.1/32"], "region": "US"}', :'crm')::jsonb);
SELECT set_secret_file('crm', 'bearer_token', :'token');
