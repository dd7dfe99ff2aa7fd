using Microsoft.AspNetCore.Components;
using PsyLite.Store.Conversations;
using PsyLite.Web.Live;

namespace PsyLite.Web;

/// <summary>The conversations that are kept, and the ways to the other views.</summary>
public sealed partial class Drawer
{
    private static readonly TimeSpan TypingPause = TimeSpan.FromMilliseconds(250);
    private IReadOnlyList<Row> _rows = [];
    private IReadOnlyList<Row>? _found;
    private string? _open;
    private string? _renaming;
    private bool _deleting;
    private string _name = "";
    private string _status = "";
    private CancellationTokenSource _typing = new();
    private (object?, object?, object?, string?, string?, bool, string?, string?, bool) _drawn;

    [Parameter, EditorRequired]
    public UiText Text { get; set; } = UiText.Chinese;

    [Parameter, EditorRequired]
    public string Owner { get; set; } = "";

    [Parameter]
    public string? CurrentId { get; set; }

    /// <summary>The person wants conversations kept.</summary>
    [Parameter]
    public bool Keeps { get; set; }

    [Parameter]
    public EventCallback<string> OnOpen { get; set; }

    /// <summary>A new conversation; true for a temporary one.</summary>
    [Parameter]
    public EventCallback<bool> OnNew { get; set; }

    /// <summary>A conversation was erased.</summary>
    [Parameter]
    public EventCallback<string> OnErased { get; set; }

    [Parameter]
    public EventCallback OnCheckIns { get; set; }

    [Parameter]
    public EventCallback OnSettings { get; set; }

    [Parameter]
    public EventCallback OnLanguage { get; set; }

    /// <summary>The engine keeps what it computed of conversations on the disk.</summary>
    [Parameter]
    public bool IsCached { get; set; }

    private string TemporaryHint => IsCached ? Words.TemporaryCached : Words.TemporaryHint;

    private HistoryText Words => Text.History;

    public void Dispose()
    {
        _typing.Cancel();
        _typing.Dispose();
    }

    /// <summary>While a reply grows the page is drawn many times a second; what is in here seldom changes.</summary>
    protected override bool ShouldRender()
    {
        var now = (Text, _rows, _found, _open, _renaming, _deleting, _name + _status, CurrentId, Keeps);
        var changed = now != _drawn;
        _drawn = now;
        return changed;
    }

    private async Task LoadAsync()
    {
        (_open, _renaming, _deleting, _found) = (null, null, false, null);
        try
        {
            _rows = [.. (await Records.ListAsync(Owner)).Select(c => new Row(c.Id, c.Head.Title, c.Updated, null))];
            _status = _rows.Count > 0 ? "" : Keeps ? Words.Empty : Words.NotKept;
        }
        catch (Exception fault)
        {
            // The boundary between the page and the store.
            (_rows, _status) = ([], string.Format(Text.RecordsClosed, Records.Explain(fault)));
        }
    }

    private async Task SearchAsync(ChangeEventArgs e)
    {
        await _typing.CancelAsync();
        _typing.Dispose();
        var typing = _typing = new CancellationTokenSource();
        var words = (e.Value as string ?? "").Trim();
        try
        {
            await Task.Delay(TypingPause, typing.Token);
            _found = words.Length == 0 ? null : [.. (await Records.SearchAsync(Owner, words, typing.Token)).Select(h => new Row(h.Conversation.Id, h.Conversation.Head.Title, h.At, h.Excerpt))];
            _status = _found is null ? "" : _found.Count == 0 ? Words.NothingFound : string.Format(Words.Found, _found.Count);
        }
        catch (OperationCanceledException)
        {
            // Something else is being looked for already.
        }
        catch (Exception fault)
        {
            _status = string.Format(Text.RecordsClosed, Records.Explain(fault));
        }
    }

    private IEnumerable<(string Label, IReadOnlyList<Row> Rows)> Groups()
    {
        if (_found is not null)
        {
            return [("", _found)];
        }

        var today = Time.GetLocalNow().Date;
        return _rows.GroupBy(r => (today - r.At.ToLocalTime().Date).Days switch
        {
            <= 0 => Words.Today,
            1 => Words.Yesterday,
            < 7 => Words.LastWeek,
            _ => Words.Earlier,
        }).Select(g => (g.Key, (IReadOnlyList<Row>)[.. g]));
    }

    private void Toggle(string id)
    {
        _open = _open == id ? null : id;
        (_renaming, _deleting) = (null, false);
    }

    private async Task RenameAsync(Row row)
    {
        var name = _name.Trim();
        if (name.Length > 0 && await Conversations.OpenAsync(Owner, row.Id, CancellationToken.None) is { } conversation)
        {
            await conversation.RenameAsync(name);
            Conversations.Leave(conversation);
        }

        await LoadAsync();
    }

    private async Task DeleteAsync(Row row)
    {
        Conversations.Drop(Owner, row.Id);
        await Records.EraseAsync(Owner, row.Id);
        await LoadAsync();
        _status = Words.Deleted;
        await OnErased.InvokeAsync(row.Id);
    }

    private sealed record Row(string Id, string Title, DateTimeOffset At, string? Excerpt);
}
