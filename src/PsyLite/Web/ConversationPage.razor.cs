using Microsoft.AspNetCore.Components;
using Microsoft.JSInterop;
using PsyLite.Agent;
using PsyLite.Agent.Crisis;
using PsyLite.Options;
using PsyLite.Store.Conversations;
using PsyLite.Web.Live;

namespace PsyLite.Web;

/// <summary>The one page: the conversation, and beside it the check-ins and the settings. What is said lives in <see cref="LiveConversations"/>.</summary>
public sealed partial class ConversationPage
{
    /// <summary>Characters; below what one message of the page's connection may carry.</summary>
    private const int LongestMessage = 4000;

    /// <summary>Replies are drawn this often while they grow: faster is not seen, only sent.</summary>
    private static readonly TimeSpan DrawingInterval = TimeSpan.FromMilliseconds(30);

    private UiText _text = UiText.Chinese;
    private PersonSettings _settings = new() { IsMinor = true };
    private Stage _stage = Stage.Opening;
    private View _view = View.Conversation;
    private LiveConversation? _live;
    private LiveConversation? _previous;
    private ConversationState? _risk;
    private bool _isTemporary;
    private bool _canKeep = true;
    private IJSObjectReference? _script;
    private DotNetObjectReference<ConversationPage>? _self;
    private bool _attached;
    private bool _closed;
    private int _drawing;
    private string? _notice;
    private IReadOnlyList<HelpLine> _calls = [];
    private (string? Region, UiText? Text, bool IsMinor) _callsOf;

    private enum Stage
    {
        Opening,
        Welcome,
        Ready,
    }

    private enum View
    {
        Conversation,
        CheckIns,
        Settings,
    }

    /// <summary>Language of the page at its start.</summary>
    [Parameter]
    public string Tag { get; set; } = "";

    /// <summary>Whose page it is; see <see cref="PageOwner"/>.</summary>
    [Parameter]
    public string Owner { get; set; } = "";

    [Inject]
    internal LiveConversations Conversations { get; set; } = null!;

    [Inject]
    internal PersonRecords Records { get; set; } = null!;

    [Inject]
    internal UsageClock Usage { get; set; } = null!;

    [Inject]
    internal AppOptions Options { get; set; } = null!;

    [Inject]
    internal LocalModel Model { get; set; } = null!;

    [Inject]
    internal HelpLines Lines { get; set; } = null!;

    [Inject]
    internal TimeProvider Time { get; set; } = null!;

    [Inject]
    internal IJSRuntime Script { get; set; } = null!;

    private IReadOnlyList<Exchange> Exchanges => _live?.Exchanges ?? [];

    private bool IsReplying => _live?.IsReplying == true;

    private bool ShowsConversation => _stage == Stage.Ready && _view == View.Conversation;

    /// <summary>Where the person is, as they settled or said it; null leaves it to the language.</summary>
    private string? Region => _settings.Region ?? _live?.State.Region;

    /// <summary>The same list as long as it would be the same, so that what shows it is not drawn again.</summary>
    private IReadOnlyList<HelpLine> Calls
    {
        get
        {
            if (_callsOf != (Region, _text, _settings.IsMinor))
            {
                _callsOf = (Region, _text, _settings.IsMinor);
                _calls = Lines.For(Region, _text, _settings.IsMinor);
            }

            return _calls;
        }
    }

    /// <summary>Nothing of the conversation that is shown, or would begin now, goes to the disk.</summary>
    private bool IsPassing => _live?.IsTemporary ?? (_isTemporary || !_settings.KeepsHistory || !_canKeep);

    private string Privacy => Model.SentTo is { } hosts ? string.Format(_text.PrivacyElsewhere, hosts) : _text.Privacy;

    private string? ModelNotice => Model.Status switch
    {
        ModelStatus.Loading or ModelStatus.NotStarted => _text.ModelLoading,
        ModelStatus.Failed => _text.ModelMissing,
        _ => null,
    };

    /// <summary>Takes one message of the person; false when a reply is still running.</summary>
    [JSInvokable]
    public async Task<bool> Send(string text)
    {
        if (_stage != Stage.Ready || IsReplying || string.IsNullOrWhiteSpace(text) || text.Length > LongestMessage)
        {
            return false;
        }

        if (_live is null)
        {
            Attach(Conversations.Start(Owner, _risk is null ? _settings : _settings.After(_risk), IsPassing));
            await RememberAsync();
        }

        Forget(ref _previous);
        _announced.Clear();
        return _live!.Send(text.Trim(), Usage.Count(Owner, _settings.IsMinor));
    }

    [JSInvokable]
    public void Stop() => _live?.Stop();

    public async ValueTask DisposeAsync()
    {
        _closed = true;
        Attach(null);
        Forget(ref _previous);
        _self?.Dispose();
        if (_script is not null)
        {
            try
            {
                await _script.DisposeAsync();
            }
            catch (JSDisconnectedException)
            {
                // The page is gone, and its script with it.
            }
        }
    }

    protected override void OnInitialized() => _text = UiText.Of(Tag);

    protected override async Task OnAfterRenderAsync(bool firstRender)
    {
        if (!firstRender)
        {
            return;
        }

        _self = DotNetObjectReference.Create(this);
        _script = await Script.InvokeAsync<IJSObjectReference>("import", "./js/conversation.js");
        var open = await _script.InvokeAsync<string?>("attach", _self);
        await ReadSettingsAsync();
        if (open is not null && await FindAsync(open) is { } conversation)
        {
            Attach(conversation);
            _isTemporary = conversation.IsTemporary;
        }

        _stage = _settings.Age == AgeGroup.Unknown && _live is null ? Stage.Welcome : Stage.Ready;
        _attached = true;
        StateHasChanged();
        await _script.InvokeVoidAsync("shown");
        await Model.Settled;
        Draw();
    }

    private async Task ReadSettingsAsync()
    {
        try
        {
            _settings = await Records.SettingsAsync(Owner);
            _settings = _settings.Age == AgeGroup.Unknown ? _settings with { IsMinor = true } : _settings;
        }
        catch (Exception fault)
        {
            // The boundary between the page and the store: without it the page still listens.
            (_canKeep, _notice) = (false, string.Format(_text.RecordsClosed, Records.Explain(fault)));
        }
    }

    private async Task<LiveConversation?> FindAsync(string id)
    {
        try
        {
            return await Conversations.OpenAsync(Owner, id, CancellationToken.None);
        }
        catch (Exception fault)
        {
            _notice = string.Format(_text.RecordsClosed, Records.Explain(fault));
            return null;
        }
    }

    /// <summary>Shows this conversation and lets go of the one before.</summary>
    private void Attach(LiveConversation? conversation)
    {
        if (_live is not null)
        {
            _live.Changed -= Draw;
        }

        Forget(ref _live);
        _live = conversation;
        if (_live is not null)
        {
            _live.Changed += Draw;
            SkipAnnouncing(_live);
        }
    }

    private void Forget(ref LiveConversation? conversation)
    {
        if (conversation is not null)
        {
            Conversations.Leave(conversation);
            conversation = null;
        }
    }

    private ValueTask RememberAsync() => _script?.InvokeVoidAsync("remember", _live?.Id) ?? ValueTask.CompletedTask;

    /// <summary>Draws soon; called from any thread, as often as something changes.</summary>
    private void Draw()
    {
        if (Interlocked.Exchange(ref _drawing, 1) == 0)
        {
            _ = DrawSoonAsync();
        }
    }

    private async Task DrawSoonAsync()
    {
        await Task.Delay(DrawingInterval);
        Interlocked.Exchange(ref _drawing, 0);
        if (!_closed)
        {
            await InvokeAsync(() =>
            {
                _notice = _live?.TakeProblem() is { } problem ? string.Format(_text.NotSaved, problem) : _notice;
                Announce();
                StateHasChanged();
            });
        }
    }
}
