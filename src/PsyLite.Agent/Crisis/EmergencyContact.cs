using PsyLite.Agent.Risk;

namespace PsyLite.Agent.Crisis;

/// <summary>Someone whom the person has named, with their consent, to be turned to in danger. <paramref name="Reach"/> is a number or an account.</summary>
public sealed record EmergencyContact(string Name, string Reach);

/// <summary>How far the question has come whether the contact may be told.</summary>
public enum ContactStage
{
    NotAsked,

    /// <summary>The contact was named and the words to send were given; the host cannot send.</summary>
    Named,
    Asked,
    Agreed,
    Refused,
}

/// <summary>The contact flow of one conversation: names the contact, asks, and lets nothing be sent without a clear yes.</summary>
internal static class ContactFlow
{
    private const int LongestName = 40;

    /// <summary>The reply that belongs to the contact flow in this turn; null when it has none.</summary>
    public static CareReply? Reply(CareTurn turn, bool canReach)
    {
        var state = turn.State;
        if (Known(state.Contact) is not { } contact || !Severity.NeedsPerson(turn.Tier))
        {
            return null;
        }

        if (state.ContactStage == ContactStage.Asked || (canReach && state.ContactStage != ContactStage.Agreed && Consent.AsksToSend(turn.Text)))
        {
            return Answer(turn, contact);
        }

        if (state.ContactStage != ContactStage.NotAsked)
        {
            return null;
        }

        state.ContactStage = canReach ? ContactStage.Asked : ContactStage.Named;
        var body = turn.Say($"contact.{turn.Tier}", ("name", contact.Name), ("reach", contact.Reach));
        var question = canReach ? turn.Say("contact.ask", ("name", contact.Name)) : turn.Say("contact.question");
        return new CareReply(body + Space(turn) + question, AuditAction.ContactNamed);
    }

    private static CareReply? Answer(CareTurn turn, EmergencyContact contact)
    {
        var state = turn.State;
        switch (Consent.AsksToSend(turn.Text) ? Answered.Yes : Consent.Read(turn.Text))
        {
            case Answered.Yes:
                state.ContactStage = ContactStage.Agreed;
                var message = turn.Say("contact.message");
                return new CareReply(turn.Say("contact.sent", ("name", contact.Name), ("reach", contact.Reach)), AuditAction.ContactConsented)
                {
                    Event = new TurnEvent.ContactConsented(contact, message, turn.Tier),
                };
            case Answered.No when !turn.IsNews:
                state.ContactStage = ContactStage.Refused;
                return new CareReply(turn.Say("contact.declined"), AuditAction.ContactRefused);
            case Answered.No:
                state.ContactStage = ContactStage.Refused;
                return null;
            default:
                // No answer is no consent, and the question is not pressed: danger goes on being answered.
                state.ContactStage = ContactStage.Named;
                return null;
        }
    }

    private static string Space(CareTurn turn) => turn.Language == "en" ? " " : "";

    private static EmergencyContact? Known(EmergencyContact? contact)
    {
        var name = Line(contact?.Name);
        return name.Length == 0 ? null : new EmergencyContact(name, Line(contact?.Reach));
    }

    private static string Line(string? text)
    {
        var line = (text ?? "").ReplaceLineEndings(" ").Trim();
        return line.Length > LongestName ? line[..LongestName] : line;
    }
}
