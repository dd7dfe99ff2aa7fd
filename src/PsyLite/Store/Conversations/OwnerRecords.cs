namespace PsyLite.Store.Conversations;

public enum Questionnaire
{
    /// <summary>Depression, nine items of 0..3.</summary>
    Phq9 = 0,

    /// <summary>Anxiety, seven items of 0..3.</summary>
    Gad7 = 1,

    /// <summary>One item of 0..10.</summary>
    Mood = 2,
}

/// <summary>One answered check-in. Items are in the order of the questionnaire.</summary>
public sealed record CheckIn(Questionnaire Questionnaire, DateTimeOffset At, IReadOnlyList<int> Items)
{
    public int Score => Items.Sum();

    /// <summary>Null when the answers fit the questionnaire; else what is wrong with them.</summary>
    public string? Fault()
    {
        var (count, most) = Questionnaire switch
        {
            Questionnaire.Phq9 => (9, 3),
            Questionnaire.Gad7 => (7, 3),
            _ => (1, 10),
        };
        return Items.Count != count ? $"{Questionnaire} has {count} items, not {Items.Count}."
            : Items.Any(i => i < 0 || i > most) ? $"an item of {Questionnaire} is 0 to {most}."
            : null;
    }
}

/// <summary>What a person agreed to or took back, and which text they had read.</summary>
/// <param name="Matter">What it is about, such as storage, contact or training.</param>
internal sealed record ConsentRecord(string Matter, bool IsGiven, string TextVersion, DateTimeOffset At);
