using System.Text;
using PsyLite.Agent.Crisis;

namespace PsyLite.Agent.Guard;

/// <summary>
/// A reply in the making: what the model says goes through the guard before it becomes an event. One instance serves one reply.
/// </summary>
internal sealed class ReplyDraft(HotlineDirectory hotlines)
{
    private readonly ReplyGuard _guard = new(hotlines, GuardRule.All);

    /// <summary>Reasoning may weigh a diagnosis or speak of the prompt, but nobody is to read a method or a dose there either.</summary>
    private readonly ReplyGuard _reasoningGuard = new(hotlines, GuardRule.ForReasoning);
    private readonly StringBuilder _added = new();
    private bool _isReasoningCut;
    private string? _replacement;

    /// <summary>The rule that the reply broke, if any. Nothing more of the model's words is shown then.</summary>
    public GuardRule? Broken { get; private set; }

    public string Reasoning => _reasoningGuard.Shown;

    /// <summary>The model said nothing that a person could read.</summary>
    public bool IsEmpty => string.IsNullOrWhiteSpace(_guard.Shown);

    /// <summary>All that a reader has before them in the end.</summary>
    public string Text => (_replacement ?? _guard.Shown) + _added;

    public IEnumerable<TurnEvent> Add(string thought, string words)
    {
        if (thought.Length > 0 && !_isReasoningCut && Think(_reasoningGuard.Add(thought)) is { } reasoning)
        {
            yield return reasoning;
        }

        if (words.Length > 0 && !_isReasoningCut && Think(_reasoningGuard.Finish()) is { } rest)
        {
            yield return rest;
        }

        if (words.Length > 0 && Speak(_guard.Add(words)) is { } said)
        {
            yield return said;
        }
    }

    /// <summary>The model is done: lets out what the guards still hold.</summary>
    public IEnumerable<TurnEvent> Finish()
    {
        if (!_isReasoningCut && Think(_reasoningGuard.Finish()) is { } reasoning)
        {
            yield return reasoning;
        }

        if (Broken is null && Speak(_guard.Finish()) is { } said)
        {
            yield return said;
        }
    }

    /// <summary>Puts our own words in the place of the model's.</summary>
    public TurnEvent Replace(string text)
    {
        _replacement = text;
        return new TurnEvent.ReplyReplaced(text, Broken!.Id);
    }

    /// <summary>Sets our own words under the model's.</summary>
    public TurnEvent Append(string text)
    {
        var paragraph = Text.Length > 0 ? "\n\n" + text : text;
        _added.Append(paragraph);
        return new TurnEvent.ReplyDelta(paragraph);
    }

    private TurnEvent.ReasoningDelta? Think(GuardVerdict verdict)
    {
        _isReasoningCut = verdict.Broken is not null;
        return verdict.Safe.Length > 0 ? new TurnEvent.ReasoningDelta(verdict.Safe) : null;
    }

    private TurnEvent.ReplyDelta? Speak(GuardVerdict verdict)
    {
        Broken = verdict.Broken;
        return verdict.Safe.Length > 0 ? new TurnEvent.ReplyDelta(verdict.Safe) : null;
    }
}
