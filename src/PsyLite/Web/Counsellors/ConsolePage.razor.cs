using System.Security.Claims;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Authorization;
using PsyLite.Server.Counsellors;
using PsyLite.Server.Observability;
using PsyLite.Store.Conversations;

namespace PsyLite.Web.Counsellors;

/// <summary>The counsellors' page: who needs a person, one conversation in one's charge, and figures without text.</summary>
public sealed partial class ConsolePage
{
    /// <summary>The queue is looked at this often: calls come from other instances too.</summary>
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(2);

    private readonly CancellationTokenSource _left = new();
    private ConsoleText _text = ConsoleText.Chinese;
    private ClaimsPrincipal _user = new();
    private IDisposable? _news;
    private ITimer? _looks;
    private ElementReference _talk;
    private IReadOnlyList<PersonCall>? _calls;
    private IReadOnlyList<TalkLine>? _lines;
    private IReadOnlyList<CareFigure> _actions = [];
    private IReadOnlyList<CareFigure> _tiers = [];
    private string? _open;
    private string _answer = "";
    private string? _problem;
    private bool _isClosing;

    [Parameter]
    public string Tag { get; set; } = "";

    [Inject]
    internal CounsellorDesk Desk { get; set; } = null!;

    [Inject]
    internal ConversationNews News { get; set; } = null!;

    [Inject]
    internal AuthenticationStateProvider Authentication { get; set; } = null!;

    [Inject]
    internal TimeProvider Time { get; set; } = null!;

    [Inject]
    internal ILogger<ConsolePage> Logger { get; set; } = null!;

    public void Dispose()
    {
        _left.Cancel();
        _looks?.Dispose();
        _news?.Dispose();
        _left.Dispose();
    }

    protected override async Task OnInitializedAsync()
    {
        _text = ConsoleText.Of(Tag);
        _user = (await Authentication.GetAuthenticationStateAsync()).User;
        if (!RendererInfo.IsInteractive)
        {
            return;
        }

        _news = News.Listen(_ => LookAsync());
        _looks = Time.CreateTimer(_ => _ = LookAsync(), null, BetweenLooks, BetweenLooks);
        await Guarded(RefreshAsync);
    }

    private Task LookAsync() => _left.IsCancellationRequested ? Task.CompletedTask : InvokeAsync(async () =>
    {
        await Guarded(RefreshAsync);
        StateHasChanged();
    });

    private async Task RefreshAsync()
    {
        _calls = await Desk.QueueAsync(_user, _left.Token);
        if (_open is { } open)
        {
            _lines = await Desk.OpenAsync(_user, open, isFirst: false, _left.Token);
            _open = _lines is null ? null : open;
        }

        if (_open is null)
        {
            (_actions, _tiers) = await Desk.FiguresAsync(_user, _left.Token);
        }
    }

    private Task ClaimAsync(string conversation) => Guarded(async () =>
    {
        var isMine = await Desk.ClaimAsync(_user, conversation, _left.Token);
        await RefreshAsync();
        await (isMine ? OpenNowAsync(conversation) : Task.CompletedTask);
    });

    private Task OpenAsync(string conversation) => Guarded(() => OpenNowAsync(conversation));

    private async Task OpenNowAsync(string conversation)
    {
        _isClosing = false;
        _lines = await Desk.OpenAsync(_user, conversation, isFirst: true, _left.Token);
        _open = _lines is null ? null : conversation;
    }

    private Task ReleaseAsync(string conversation) => Guarded(async () =>
    {
        await Desk.ReleaseAsync(_user, conversation, _left.Token);
        _open = _open == conversation ? null : _open;
        await RefreshAsync();
    });

    private Task ReplyAsync() => Guarded(async () =>
    {
        if (_open is { } open && await Desk.ReplyAsync(_user, open, _answer, _left.Token))
        {
            _answer = "";
            await RefreshAsync();
        }
    });

    /// <summary>Lifting danger is asked twice.</summary>
    private Task CloseAsync() => Guarded(async () =>
    {
        if (!_isClosing)
        {
            _isClosing = true;
            return;
        }

        _isClosing = false;
        await Desk.CloseAsync(_user, _open!, _left.Token);
        _open = null;
        await RefreshAsync();
    });

    private async Task Guarded(Func<Task> work)
    {
        try
        {
            await work();
            _problem = null;
        }
        catch (OperationCanceledException)
        {
            // The page is gone.
        }
        catch (Exception fault)
        {
            // The page's boundary: what failed is told by its kind, and the page goes on looking.
            TurnLog.Failed(Logger, "console", fault.GetType().Name);
            _problem = _text.Failed;
        }
    }

    private string Ago(DateTimeOffset at)
    {
        var minutes = (int)(Time.GetUtcNow() - at).TotalMinutes;
        return minutes < 1 ? _text.JustNow : minutes < 120 ? string.Format(_text.MinutesAgo, minutes) : string.Format(_text.HoursAgo, minutes / 60);
    }
}
