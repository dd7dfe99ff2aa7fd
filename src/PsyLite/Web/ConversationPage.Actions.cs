using Microsoft.JSInterop;
using PsyLite.Agent.Humour;
using PsyLite.Store.Conversations;
using PsyLite.Web.Live;

namespace PsyLite.Web;

/// <summary>What a person can do on the page beside saying something.</summary>
public sealed partial class ConversationPage
{
    private readonly List<(int Number, string Sentence)> _announced = [];
    private SentenceReader _reader = new();
    private Exchange? _read;

    private async Task WelcomeAsync(WelcomeChoice choice)
    {
        var isNew = _settings.Age == AgeGroup.Unknown;
        await ChangeSettingsAsync(s => s with { Age = choice.Age, IsMinor = choice.Age != AgeGroup.Adult, KeepsHistory = choice.Keeps }, "storage", choice.Keeps);
        await ConsentAsync("age", true);
        if (choice.Age == AgeGroup.Under14)
        {
            await ConsentAsync("guardian", true);
        }

        _notice = _canKeep ? null : _notice;
        await EnterAsync(isNew ? View.Conversation : View.Settings);
    }

    private Task SkipWelcomeAsync() => EnterAsync(View.Conversation);

    private async Task EnterAsync(View view)
    {
        _stage = Stage.Ready;
        await ShowAsync(view);
        await FocusAsync();
    }

    private void AskAgeAgain() => _stage = Stage.Welcome;

    private async Task ShowAsync(View view)
    {
        _view = view;
        StateHasChanged();
        if (_script is not null)
        {
            await _script.InvokeVoidAsync("shown");
        }

        await FocusHeadingAsync();
    }

    private async Task OpenAsync(string id)
    {
        if (id != _live?.Id && await FindAsync(id) is { } conversation)
        {
            Forget(ref _previous);
            Attach(conversation);
            _isTemporary = false;
            await conversation.SettleAsync(_settings);
            await RememberAsync();
        }

        await EnterAsync(View.Conversation);
    }

    private async Task StartAnewAsync(bool isTemporary)
    {
        Forget(ref _previous);
        if (_live is { } live)
        {
            // Watched on, so that it can be gone back to; whatever it is saying goes on.
            live.Changed -= Draw;
            (_previous, _live) = (live, null);

            // What came up is minded in the next one too, but a temporary conversation leaves no trace in one that is kept.
            _risk = !live.IsTemporary || isTemporary ? live.State : null;
        }

        _isTemporary = isTemporary;
        Tell(_text.StartedAnew);
        await RememberAsync();
        await EnterAsync(View.Conversation);
    }

    private async Task GoBackAsync()
    {
        if (_previous is { } previous)
        {
            _previous = null;
            Attach(previous);
            _isTemporary = previous.IsTemporary;
            await RememberAsync();
            await FocusAsync();
        }
    }

    private async Task ErasedAsync(string id)
    {
        if (_previous?.Id == id)
        {
            Forget(ref _previous);
        }

        if (_live?.Id == id)
        {
            Attach(null);
            await RememberAsync();
        }
    }

    private async Task EraseAllAsync()
    {
        try
        {
            Conversations.Drop(Owner);
            await Records.EraseAllAsync(Owner);
        }
        catch (Exception fault)
        {
            _notice = string.Format(_text.RecordsClosed, Records.Explain(fault));
            return;
        }

        Attach(null);
        Forget(ref _previous);
        (_risk, _settings, _isTemporary, _view, _stage) = (null, new PersonSettings { IsMinor = true }, false, View.Conversation, Stage.Welcome);
        _notice = _text.Settings.Erased;
        Tell(_text.Settings.Erased);
        await RememberAsync();
        await FocusHeadingAsync();
    }

    /// <summary>False when the settings could not be written; for this page they hold all the same.</summary>
    private async Task<bool> ChangeSettingsAsync(Func<PersonSettings, PersonSettings> change, string? matter = null, bool isGiven = false)
    {
        var isSaved = true;
        var next = change(_settings);
        if (next.Age != AgeGroup.Unknown)
        {
            try
            {
                next = await Records.ChangeAsync(Owner, change);
                isSaved = matter is null || await ConsentAsync(matter, isGiven);
            }
            catch (Exception)
            {
                // The boundary between the page and the store.
                isSaved = false;
            }
        }

        _settings = next;
        if (_live is not null)
        {
            await _live.SettleAsync(_settings);
        }

        return isSaved;
    }

    private async Task<bool> ConsentAsync(string matter, bool isGiven)
    {
        try
        {
            await Records.ConsentAsync(Owner, matter, isGiven);
            return true;
        }
        catch (Exception)
        {
            return false;
        }
    }

    private Task SetHumourAsync(bool allowed) => ChangeSettingsAsync(s => s with { HumourAllowed = allowed });

    private Task LikeAsync(CrosstalkPiece piece) => ChangeSettingsAsync(s => s with { LikedThemes = [.. (s.LikedThemes ?? []).Union(piece.Themes)] });

    private async Task RewriteAsync(string? text)
    {
        _announced.Clear();
        if (_live?.Rewrite(text) == true)
        {
            await FocusAsync();
        }
    }

    private void Retry() => _live?.Retry();

    private async Task StopAsync()
    {
        _live?.Stop();
        await FocusAsync();
    }

    private async Task OpenWithAsync(string opening)
    {
        await Send(opening);
        await FocusAsync();
    }

    private async Task<IReadOnlyList<CheckIn>> ReadCheckInsAsync()
    {
        try
        {
            return await Records.CheckInsAsync(Owner);
        }
        catch (Exception)
        {
            return [];
        }
    }

    private async Task<bool> KeepCheckInAsync(Questionnaire questionnaire, IReadOnlyList<int> items)
    {
        try
        {
            await Records.AddCheckInAsync(Owner, new CheckIn(questionnaire, Time.GetUtcNow(), items), _settings.KeepsHistory && _canKeep);
            return true;
        }
        catch (Exception)
        {
            return false;
        }
    }

    /// <summary>Thoughts of death that a check-in shows are said in the conversation at once, and answered there like any others.</summary>
    private async Task TellItem9Async(int answer)
    {
        if (_live is { IsReplying: true } live)
        {
            live.Stop();
            await live.Running;
        }

        _view = View.Conversation;
        await Send(_text.CheckIn.Item9[answer - 1]);
        await ShowAsync(View.Conversation);
    }

    private async Task DrawTrendAsync(string id, object series)
    {
        try
        {
            await (_script?.InvokeVoidAsync("drawTrend", id, series) ?? ValueTask.CompletedTask);
        }
        catch (JSException)
        {
            // Without the picture there is still the table.
        }
    }

    private async Task SwitchLanguageAsync()
    {
        _text = UiText.Of(_text.OtherTag);
        if (_script is not null)
        {
            await _script.InvokeVoidAsync("setLanguage", _text.Tag);
        }
    }

    private void SkipAnnouncing(LiveConversation conversation)
    {
        _announced.Clear();
        (_reader, _read) = (new SentenceReader(), conversation.Exchanges is [.., { Stage: not ExchangeStage.Replying } last] ? last : null);
        _reader.Read(_read?.Reply ?? "", isOver: true);
    }

    private void Announce()
    {
        if (_live?.Exchanges is not [.., var last])
        {
            return;
        }

        if (last != _read)
        {
            (_reader, _read) = (new SentenceReader(), last);
        }

        foreach (var sentence in _reader.Read(last.Reply, last.Stage != ExchangeStage.Replying))
        {
            Tell(sentence);
        }

        var outcome = last.Stage switch { ExchangeStage.Failed => _text.Failed, ExchangeStage.Stopped => _text.Stopped, _ => null };
        if (outcome is not null && !_announced.Exists(a => a.Sentence == outcome))
        {
            Tell(outcome);
        }
    }

    private void Tell(string sentence) => _announced.Add((_announced.Count == 0 ? 0 : _announced[^1].Number + 1, sentence));

    private ValueTask FocusAsync() => _script?.InvokeVoidAsync("focusComposer") ?? ValueTask.CompletedTask;

    private Task FocusHeadingAsync() => _script?.InvokeVoidAsync("focusHeading").AsTask() ?? Task.CompletedTask;
}
