using Microsoft.AspNetCore.Components;
using Microsoft.JSInterop;
using PsyLite.Agent;

namespace PsyLite.Web;

/// <summary>The one page: a conversation, kept as long as the page is open.</summary>
public sealed partial class ConversationPage
{
    /// <summary>Characters; below what one message of the page's connection may carry.</summary>
    private const int LongestMessage = 4000;

    /// <summary>Replies are drawn this often while they grow: faster is not seen, only sent.</summary>
    private static readonly TimeSpan DrawingInterval = TimeSpan.FromMilliseconds(30);

    private UiText _text = UiText.Chinese;
    private ConversationSession _session = null!;
    private ConversationSession? _previous;
    private ElementReference _shell;
    private IJSObjectReference? _script;
    private DotNetObjectReference<ConversationPage>? _self;
    private bool _attached;
    private bool _closed;
    private string _announcement = "";

    /// <summary>Language of the page at its start.</summary>
    [Parameter]
    public string Tag { get; set; } = "";

    [Inject]
    internal TurnPipeline Pipeline { get; set; } = null!;

    [Inject]
    internal LocalModel Model { get; set; } = null!;

    [Inject]
    internal HelpLines Lines { get; set; } = null!;

    [Inject]
    internal TimeProvider Time { get; set; } = null!;

    [Inject]
    internal IJSRuntime Script { get; set; } = null!;

    [Inject]
    internal ILogger<ConversationPage> Logger { get; set; } = null!;

    private string? ModelNotice => Model.Status switch
    {
        ModelStatus.Loading or ModelStatus.NotStarted => _text.ModelLoading,
        ModelStatus.Failed => _text.ModelMissing,
        _ => null,
    };

    /// <summary>Takes one message of the person; false when a reply is still running.</summary>
    [JSInvokable]
    public bool Send(string text)
    {
        if (_session.IsReplying || string.IsNullOrWhiteSpace(text) || text.Length > LongestMessage)
        {
            return false;
        }

        _ = RunTurnAsync(text.Trim());
        return true;
    }

    [JSInvokable]
    public void Stop() => _session.Stop();

    public async ValueTask DisposeAsync()
    {
        _closed = true;
        _session.Dispose();
        _previous?.Dispose();
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

    protected override void OnInitialized()
    {
        _text = UiText.Of(Tag);
        _session = new ConversationSession(Pipeline, Time, Logger);
    }

    protected override async Task OnAfterRenderAsync(bool firstRender)
    {
        if (!firstRender)
        {
            return;
        }

        _self = DotNetObjectReference.Create(this);
        _script = await Script.InvokeAsync<IJSObjectReference>("import", "./js/conversation.js");
        await _script.InvokeVoidAsync("attach", _shell, _self);
        _attached = true;
        StateHasChanged();
        await WatchModelAsync();
    }

    private async Task WatchModelAsync()
    {
        await Model.Settled;
        if (!_closed)
        {
            StateHasChanged();
        }
    }

    private async Task RunTurnAsync(string text)
    {
        _previous?.Dispose();
        _previous = null;
        _announcement = "";
        var session = _session;
        var turn = session.SendAsync(text);
        while (!turn.IsCompleted && !_closed)
        {
            StateHasChanged();
            await Task.WhenAny(turn, Task.Delay(DrawingInterval));
        }

        await turn;
        if (_closed || session != _session)
        {
            return;
        }

        var last = session.Exchanges[^1];
        _announcement = last.Stage switch
        {
            ExchangeStage.Stopped => _text.Stopped,
            ExchangeStage.Failed => _text.Failed,
            _ => ReplyMarkdown.Plain(last.Reply),
        };
        StateHasChanged();
    }

    private async Task StopAsync()
    {
        _session.Stop();
        await FocusAsync();
    }

    private async Task OpenWithAsync(string opening)
    {
        Send(opening);
        await FocusAsync();
    }

    private async Task StartAnewAsync()
    {
        _session.Stop();
        _previous?.Dispose();
        _previous = _session;
        _session = new ConversationSession(Pipeline, Time, Logger) { HumourAllowed = _previous.HumourAllowed };
        _announcement = _text.StartedAnew;
        await FocusAsync();
    }

    private async Task GoBackAsync()
    {
        if (_previous is { } previous)
        {
            _session.Dispose();
            _session = previous;
            _previous = null;
            await FocusAsync();
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

    private void SetHumour(bool allowed) => _session.HumourAllowed = allowed;

    private ValueTask FocusAsync() => _script?.InvokeVoidAsync("focusComposer") ?? ValueTask.CompletedTask;
}
